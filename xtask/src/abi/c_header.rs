//! What `arr_session.h` declares. A simple reader: of a generated header, which has no unions, no nested structs, no
//! function pointers and no function-like macros.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};

use crate::abi::tokens::{number, tokens};

/// The header, in its order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Header {
    pub(crate) constants: Vec<(String, i64)>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) functions: Vec<Function>,
    /// Names of other types: `arr_status` is `int32_t`.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Structs that are never seen whole: pointers to them are handles.
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
    /// How many `*` stand behind it.
    pub(crate) pointers: usize,
    /// Of an array.
    pub(crate) length: Option<u32>,
}

impl Header {
    pub(crate) fn read(source: &str) -> Result<Self> {
        let mut header = Self::default();
        let mut declaration = Vec::new();
        let mut depth = 0;
        let mut only_cpp = false;
        for token in tokens(source) {
            if let Some(directive) = token.strip_prefix('#') {
                // Between these stands what C never sees: `extern "C" {` and its end.
                only_cpp = directive.starts_with("ifdef __cplusplus") || (only_cpp && !directive.starts_with("endif"));
                header.define(directive);
            } else if only_cpp {
            } else if token == ";" && depth == 0 {
                header.declare(&declaration).with_context(|| format!("cannot read `{}`", declaration.join(" ")))?;
                declaration.clear();
            } else {
                match &*token {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                declaration.push(token);
            }
        }
        Ok(header)
    }

    /// Macros with a whole number as their value are constants.
    fn define(&mut self, directive: &str) {
        let Some((name, value)) = directive.strip_prefix("define ").and_then(|rest| rest.split_once(' ')) else {
            return;
        };
        if let Some(value) = number(&tokens(value)) {
            self.constants.push((name.to_owned(), value));
        }
    }

    fn declare(&mut self, declaration: &[String]) -> Result<()> {
        let words: Vec<&str> = declaration.iter().map(String::as_str).collect();
        match words[..] {
            ["typedef", "struct", name, "{", ref fields @ .., "}", _] => {
                let fields: Vec<&[&str]> =
                    fields.split(|word| *word == ";").filter(|field| !field.is_empty()).collect();
                let fields = fields.into_iter().map(variable).collect::<Result<_>>()?;
                self.structs.push(Struct { name: name.to_owned(), fields });
            }
            ["typedef", "struct", name, _] => {
                self.handles.insert(name.to_owned());
            }
            ["typedef", kind, name] => {
                self.aliases.insert(name.to_owned(), kind.to_owned());
            }
            ["ARR_API", ref function @ ..] => self.functions.push(self::function(function)?),
            _ => bail!("it is neither a type nor a function"),
        }
        Ok(())
    }
}

/// `arr_status arr_client_new(…)`
fn function(words: &[&str]) -> Result<Function> {
    let open = words.iter().position(|word| *word == "(").context("it has no parameters")?;
    let Variable { name, kind: result } = variable(&words[..open])?;
    let [parameters @ .., ")"] = &words[open + 1..] else { bail!("its parameters have no end") };
    let parameters = match parameters {
        [] | ["void"] => Vec::new(),
        all => all.split(|word| *word == ",").map(variable).collect::<Result<_>>()?,
    };
    Ok(Function { name, result, parameters })
}

/// `const char *const *models`, `char message[512]`
fn variable(words: &[&str]) -> Result<Variable> {
    let words: Vec<&str> = words.iter().copied().filter(|word| !matches!(*word, "const" | "struct")).collect();
    let (words, length) = match &words[..] {
        [before @ .., "[", length, "]"] => (before, Some(length.parse()?)),
        all => (all, None),
    };
    match words {
        [base, stars @ .., name] if stars.iter().all(|word| *word == "*") => Ok(Variable {
            name: (*name).to_owned(),
            kind: Type { base: (*base).to_owned(), pointers: stars.len(), length },
        }),
        _ => bail!("`{}` is neither a field nor a parameter", words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(base: &str, pointers: usize, length: Option<u32>) -> Type {
        Type { base: base.to_owned(), pointers, length }
    }

    #[test]
    fn reads_all_that_the_header_has() {
        let header = Header::read(
            "#ifndef A_H\n#define A_H\n#include <stdint.h>\n\
             #define ARR_NONE (-1) // minus\n#define ARR_FOREVER UINT32_MAX\n#define ARR_API __declspec(dllimport)\n\
             typedef struct arr_client arr_client;\ntypedef int32_t arr_status;\n\
             typedef struct arr_info {\n  // Its size.\n  uint32_t struct_size;\n  const char *const *models;\n  char text[7];\n} arr_info;\n\
             #ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n\
             ARR_API const char *arr_name(void);\n\
             ARR_API\narr_status arr_new(const struct arr_info *info,\n  struct arr_client **client);\n\
             #ifdef __cplusplus\n}  // extern \"C\"\n#endif\n#endif\n",
        )
        .unwrap();
        assert_eq!(header.constants, [("ARR_NONE".to_owned(), -1), ("ARR_FOREVER".to_owned(), u32::MAX.into())]);
        assert_eq!(header.aliases["arr_status"], "int32_t");
        assert!(header.handles.contains("arr_client"));
        let fields: Vec<_> = header.structs[0].fields.iter().map(|field| (&*field.name, &field.kind)).collect();
        assert_eq!(
            fields,
            [
                ("struct_size", &plain("uint32_t", 0, None)),
                ("models", &plain("char", 2, None)),
                ("text", &plain("char", 0, Some(7))),
            ]
        );
        assert_eq!(header.functions[0].result, plain("char", 1, None));
        assert_eq!(header.functions[0].parameters, []);
        let parameters: Vec<_> = header.functions[1].parameters.iter().map(|it| (&*it.name, &it.kind)).collect();
        assert_eq!(parameters, [("info", &plain("arr_info", 1, None)), ("client", &plain("arr_client", 2, None))]);
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for strange in ["union u { int a; };", "ARR_API void arr_call(void (*back)(int));", "int arr_other(void);"] {
            assert!(Header::read(strange).is_err(), "{strange}");
        }
    }
}
