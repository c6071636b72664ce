//! Reads the declarations in `arr_session.h`. The parser is simple: the generated header has no unions, nested structs, function
//! pointers or function-like macros.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use anyhow::{Context as _, Result, bail, ensure};
use regex::Regex;

pub(crate) const PATH: &str = "include/arr_session.h";

/// The declarations, in the header's order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Header {
    pub(crate) constants: Vec<(String, i64)>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) functions: Vec<Function>,
    /// Typedefs of other types: `arr_status` is `int32_t`.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Opaque structs: pointers to them are handles.
    pub(crate) handles: BTreeSet<String>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) fields: Vec<Variable>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) result: Type,
    pub(crate) parameters: Vec<Variable>,
}

/// A field or a parameter.
#[derive(Debug, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) kind: Type,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Type {
    pub(crate) base: String,
    /// The number of `*`.
    pub(crate) pointers: usize,
    /// For an array.
    pub(crate) length: Option<u32>,
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant")
}

/// Comments, and the parts for C++ only.
static IGNORED: LazyLock<Regex> = LazyLock::new(|| regex(r"//[^\n]*|(?s:/\*.*?\*/)|(?s:#ifdef __cplusplus.*?#endif)"));

static DECLARATION: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?x) \#define\ (?<constant>[A-Z0-9_]+)\ \(?(?<value>-?[0-9]+u?)\)?\ *\n
        | \#[^\n]*\n
        | typedef\ struct\ (?<structure>[a-z0-9_]+)\ \{(?<fields>[^{}()]*)\}\ [a-z0-9_]+;
        | typedef\ struct\ (?<handle>[a-z0-9_]+)\ [a-z0-9_]+;
        | typedef\ (?<kind>[a-z0-9_]+)\ (?<alias>[a-z0-9_]+);
        | (ARR_NODISCARD\ )?ARR_API\ (?<function>[^();{}]+)\((?<parameters>[^();{}]*)\);",
    )
});

/// The include guard, and the attributes of functions.
static OTHER_MACRO: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^#define (ARR_SESSION_H|ARR_API|ARR_CALL|ARR_NODISCARD)[ \n]"));

static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(?<base>[A-Za-z0-9_]+)(?<stars>[ *]*[ *])(?<name>[A-Za-z0-9_]+)(\[(?<length>[0-9]+)\])?$")
});

impl Header {
    pub(crate) fn read(source: &str) -> Result<Self> {
        let source = IGNORED.replace_all(source, "");
        let mut header = Self::default();
        let mut end = 0;
        for found in DECLARATION.captures_iter(&source) {
            let whole = found.get_match();
            let between = source[end..whole.start()].trim();
            ensure!(between.is_empty(), "cannot read `{between}`");
            end = whole.end();
            let part = |name: &str| found.name(name).map(|part| part.as_str().to_owned());
            if let Some((name, value)) = part("constant").zip(part("value")) {
                header.constants.push((name, value.trim_end_matches('u').parse()?));
            } else if let Some((name, fields)) = part("structure").zip(part("fields")) {
                let fields = fields.trim().trim_end_matches(';').split(';').map(variable);
                header.structs.push(Struct { name, fields: fields.collect::<Result<_>>()? });
            } else if let Some(name) = part("handle") {
                header.handles.insert(name);
            } else if let Some((kind, alias)) = part("kind").zip(part("alias")) {
                header.aliases.insert(alias, kind);
            } else if !OTHER_MACRO.is_match(whole.as_str()) && whole.as_str().starts_with("#define ARR_") {
                bail!("cannot read the value of `{}`", whole.as_str().trim());
            } else if let Some((function, parameters)) = part("function").zip(part("parameters")) {
                let Variable { name, kind: result } = variable(&function.replace("ARR_CALL ", ""))?;
                let parameters = parameters.split(',').filter(|one| one.trim() != "void").map(variable);
                header.functions.push(Function { name, result, parameters: parameters.collect::<Result<_>>()? });
            }
        }
        let rest = source[end..].trim();
        ensure!(rest.is_empty(), "cannot read `{rest}`");
        Ok(header)
    }
}

/// `const char *const *models`, `char message[512]`
fn variable(text: &str) -> Result<Variable> {
    let plain =
        text.split_whitespace().filter(|word| !matches!(*word, "const" | "struct")).collect::<Vec<_>>().join(" ");
    let plain = plain.replace("*const ", "*");
    let found = VARIABLE.captures(&plain).with_context(|| format!("`{plain}` is neither a field nor a parameter"))?;
    Ok(Variable {
        name: found["name"].to_owned(),
        kind: Type {
            base: found["base"].to_owned(),
            pointers: found["stars"].matches('*').count(),
            length: found.name("length").map(|length| length.as_str().parse()).transpose()?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(base: &str, pointers: usize, length: Option<u32>) -> Type {
        Type { base: base.to_owned(), pointers, length }
    }

    #[test]
    fn reads_every_kind_of_declaration() {
        let header = Header::read(
            "#ifndef A_H\n#define A_H\n#include <stdint.h>\n\
             #define ARR_NONE (-1) // minus\n#define ARR_FOREVER 4294967295u\n#define ARR_MOST 4294967294u\n\
             #define ARR_API __declspec(dllimport)\n#define ARR_CALL\n#define ARR_NODISCARD [[nodiscard]]\n/* a block; of text */\n\
             typedef struct arr_client arr_client;\ntypedef int32_t arr_status;\n\
             typedef struct arr_info {\n  // Its size; in bytes.\n  uint32_t struct_size;\n  const char *const *models;\n  char text[7];\n} arr_info;\n\
             #ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n\
             ARR_API const char *ARR_CALL arr_name(void);\n\
             ARR_NODISCARD ARR_API arr_status ARR_CALL arr_new(\n  const struct arr_info *info,\n  struct arr_client **client);\n\
             #ifdef __cplusplus\n}  // extern \"C\"\n#endif\n#endif\n",
        )
        .unwrap();
        let constants = [("ARR_NONE", -1), ("ARR_FOREVER", u32::MAX.into()), ("ARR_MOST", 4_294_967_294)];
        assert_eq!(header.constants, constants.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(header.aliases["arr_status"], "int32_t");
        assert!(header.handles.contains("arr_client"));
        let named =
            |all: &[Variable]| all.iter().map(|it| (it.name.clone(), format!("{:?}", it.kind))).collect::<Vec<_>>();
        let wanted = |all: &[(&str, Type)]| {
            all.iter().map(|(name, kind)| ((*name).to_owned(), format!("{kind:?}"))).collect::<Vec<_>>()
        };
        let fields = [
            ("struct_size", plain("uint32_t", 0, None)),
            ("models", plain("char", 2, None)),
            ("text", plain("char", 0, Some(7))),
        ];
        assert_eq!(named(&header.structs[0].fields), wanted(&fields));
        assert_eq!((&header.functions[0].result, &header.functions[0].parameters), (&plain("char", 1, None), &vec![]));
        let parameters = [("info", plain("arr_info", 1, None)), ("client", plain("arr_client", 2, None))];
        assert_eq!(named(&header.functions[1].parameters), wanted(&parameters));
    }

    #[test]
    fn refuses_other_declarations() {
        for strange in [
            "union u { int a; };",
            "ARR_API void ARR_CALL arr_call(void (*back)(int));",
            "int arr_other(void);",
            "#define ARR_X (1u << 3)\n",
        ] {
            assert!(Header::read(strange).is_err(), "{strange}");
        }
    }
}
