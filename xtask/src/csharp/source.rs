//! What the C# sources declare of the native library. A simple reader, for declarations that are written plainly.

use crate::abi::tokens::{number, tokens};

/// The declarations of some sources, in their order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Declarations {
    pub(crate) functions: Vec<Import>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) constants: Vec<(String, i64)>,
    pub(crate) enums: Vec<Enum>,
    /// What looks like one of these and cannot be read.
    pub(crate) unreadable: Vec<String>,
}

/// A function with `[DllImport]`.
#[derive(Debug, PartialEq)]
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) result: String,
    pub(crate) parameters: Vec<Variable>,
    /// The attribute's arguments, without spaces.
    pub(crate) attribute: Vec<String>,
}

/// A struct whose name is one of the header's, by its prefix.
#[derive(Debug, PartialEq)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) fields: Vec<Variable>,
}

/// A field or a parameter. Its type is written as in C#, a fixed buffer as `byte[64]`.
#[derive(Debug, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// An enumeration, and what its members stand for.
#[derive(Debug, PartialEq)]
pub(crate) struct Enum {
    pub(crate) name: String,
    /// The `Native` constants that it names.
    pub(crate) constants: Vec<String>,
}

const MODIFIERS: &[&str] =
    &["public", "internal", "private", "protected", "static", "extern", "unsafe", "readonly", "new", "partial"];

impl Declarations {
    pub(crate) fn read<'a>(sources: impl IntoIterator<Item = &'a str>) -> Self {
        let mut found = Self::default();
        for source in sources {
            let tokens: Vec<String> = tokens(source).into_iter().filter(|token| !token.starts_with('#')).collect();
            for index in 0..tokens.len() {
                found.read_at(&tokens[index..]);
            }
        }
        found
    }

    fn read_at(&mut self, tokens: &[String]) {
        let words: Vec<&str> = tokens.iter().take(3).map(String::as_str).collect();
        let read = match words[..] {
            ["[", "DllImport", "("] => import(tokens).map(|import| self.functions.push(import)),
            ["struct", name, "{"] if name.starts_with("arr_") => {
                structure(tokens).map(|structure| self.structs.push(structure))
            }
            ["const", _, name] if name.starts_with("ARR_") => constant(tokens).map(|it| self.constants.push(it)),
            ["enum", name, ..] => {
                self.enums.push(Enum { name: name.to_owned(), constants: members(tokens) });
                Some(())
            }
            _ => return,
        };
        if read.is_none() {
            let beginning: Vec<&str> = tokens.iter().take(20).map(String::as_str).collect();
            self.unreadable.push(beginning.join(" "));
        }
    }
}

/// `[DllImport(Library, …)] internal static extern int arr_open(IntPtr client, byte* id);`
fn import(tokens: &[String]) -> Option<Import> {
    let (attribute, rest) = until(&tokens[3..], ")")?;
    let attribute = attribute.split(|token| token == ",").map(|argument| argument.concat()).collect();
    let rest = without_attributes(rest.strip_prefix(&["]".to_owned()])?)?;
    let (head, rest) = until(rest, "(")?;
    let Variable { name, kind: result } = variable(head)?;
    let (parameters, rest) = until(rest, ")")?;
    (rest.first()? == ";").then_some(())?;
    let parameters = match parameters {
        [] => Vec::new(),
        all => all.split(|token| token == ",").map(variable).collect::<Option<_>>()?,
    };
    Some(Import { name, result, parameters, attribute })
}

/// `struct arr_info { internal uint size; internal fixed byte text[7]; }`
fn structure(tokens: &[String]) -> Option<Struct> {
    let (body, _) = until(&tokens[3..], "}")?;
    let fields = body.split(|token| token == ";").filter(|field| !field.is_empty());
    Some(Struct { name: tokens[1].clone(), fields: fields.map(variable).collect::<Option<_>>()? })
}

/// `const int ARR_OK = 0;`
fn constant(tokens: &[String]) -> Option<(String, i64)> {
    let (value, _) = until(tokens.get(4..)?, ";")?;
    (tokens[3] == "=").then_some((tokens[2].clone(), number(value)?))
}

/// The constants of `Native` that stand in an enumeration.
fn members(tokens: &[String]) -> Vec<String> {
    let body = tokens.iter().take_while(|token| *token != "}");
    body.filter_map(|token| token.strip_prefix("Native.")).map(str::to_owned).collect()
}

/// A type and a name, behind attributes and modifiers.
fn variable(tokens: &[String]) -> Option<Variable> {
    let tokens = without_attributes(tokens)?;
    let words = tokens.iter().map(String::as_str).filter(|word| !MODIFIERS.contains(word));
    let words: Vec<&str> = words.collect();
    let (kind, name) = match &words[..] {
        ["fixed", kind, name, "[", length, "]"] => (format!("{kind}[{length}]"), *name),
        // `ref` and `out` become a part of the type, which is then no type of the header's.
        [kind @ .., name] if !kind.is_empty() && kind.iter().all(|word| is_part_of_type(word)) => {
            (kind.join(" ").replace(" *", "*"), *name)
        }
        _ => return None,
    };
    Some(Variable { name: name.trim_start_matches('@').to_owned(), kind })
}

fn is_part_of_type(word: &str) -> bool {
    word == "*" || word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Takes off what stands in brackets before a declaration.
fn without_attributes(mut tokens: &[String]) -> Option<&[String]> {
    while tokens.first().is_some_and(|token| token == "[") {
        tokens = until(tokens, "]")?.1;
    }
    Some(tokens)
}

/// What stands before the first such token, and what behind it.
fn until<'a>(tokens: &'a [String], end: &str) -> Option<(&'a [String], &'a [String])> {
    let index = tokens.iter().position(|token| token == end)?;
    Some((&tokens[..index], &tokens[index + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, kind: &str) -> Variable {
        Variable { name: name.to_owned(), kind: kind.to_owned() }
    }

    #[test]
    fn reads_functions_however_they_are_laid_out() {
        let read = Declarations::read([
            "static unsafe partial class Native {\n[DllImport(Library, CallingConvention = CallingConvention.Cdecl)]\n\
             internal static extern byte* arr_name();\n\
             [DllImport(\"arr_session\")] [Obsolete(\"no\")]\ninternal static extern int arr_new(\n  IntPtr* client, // out\n  ref arr_info @event);\n}",
        ]);
        assert_eq!(read.unreadable, [""; 0]);
        let [name, new] = &read.functions[..] else { panic!("{:?}", read.functions) };
        assert_eq!((&*name.name, &*name.result, &name.parameters[..]), ("arr_name", "byte*", &[][..]));
        assert_eq!(name.attribute, ["Library", "CallingConvention=CallingConvention.Cdecl"]);
        assert_eq!(new.parameters, [variable("client", "IntPtr*"), variable("event", "ref arr_info")]);
    }

    #[test]
    fn reads_structs_constants_and_enumerations() {
        let read = Declarations::read([
            "[StructLayout(LayoutKind.Sequential)]\ninternal unsafe struct arr_info {\n internal uint struct_size;\n\
             internal byte** models;\n [Foo] internal fixed byte text[7];\n}\nstruct Other { int A() { return 1; } }",
            "const int ARR_NONE = -1; const string Library = \"a\"; const uint ARR_EVER = uint.MaxValue;\n\
             enum Status { Ok = Native.ARR_OK, /* no */ Bad = Native.ARR_BAD }",
        ]);
        assert_eq!(read.unreadable, [""; 0]);
        assert_eq!(
            read.structs[0].fields,
            [variable("struct_size", "uint"), variable("models", "byte**"), variable("text", "byte[7]")]
        );
        assert_eq!(read.structs.len(), 1);
        assert_eq!(read.constants, [("ARR_NONE".to_owned(), -1), ("ARR_EVER".to_owned(), u32::MAX.into())]);
        assert_eq!(read.enums[0].constants, ["ARR_OK", "ARR_BAD"]);
    }

    #[test]
    fn tells_what_it_cannot_read() {
        for strange in ["struct arr_info { int A() { return 1; } }", "const int ARR_A = 1 << 2;"] {
            assert_eq!(Declarations::read([strange]).unreadable.len(), 1, "{strange}");
        }
    }
}
