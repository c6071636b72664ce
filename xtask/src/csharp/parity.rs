//! The C# declarations of the native library are the header's: nothing more, nothing less, nothing otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use anyhow::Result;

use crate::abi::c_header::{self, Header};
use crate::abi::header;
use crate::context::Context;
use crate::csharp;
use crate::csharp::source::{Declarations, Import, Variable};
use crate::step::Report;

/// What every import says, so that nothing depends on a platform's defaults.
const ATTRIBUTE: [&str; 3] = ["Library", "CallingConvention=CallingConvention.Cdecl", "ExactSpelling=true"];

/// The enumerations of C#, and how the constants begin of which each has all.
const ENUMS: &[(&str, &[&str])] = &[
    ("ArrStatus", &["ARR_OK", "ARR_ERROR_"]),
    ("ArrCategory", &["ARR_CATEGORY_"]),
    ("ArrLogLevel", &["ARR_LOG_LEVEL_"]),
    ("ApiVersion", &["ARR_API_VERSION_"]),
    ("TrustedRoots", &["ARR_TRUST_"]),
    ("StopScope", &["ARR_STOP_SCOPE_"]),
    ("SessionSize", &["ARR_SESSION_SIZE_"]),
    ("SessionStatus", &["ARR_SESSION_STATUS_"]),
    ("SessionClaim", &["ARR_CLAIM_"]),
    ("ArrEventType", &["ARR_EVENT_"]),
    ("SuspendAction", &["ARR_ON_SUSPEND_"]),
    ("ReadMode", &["ARR_READ_"]),
];
/// Constants that begin so, and are the size of a struct.
const SIZE: &str = "_SIZE_V1";

pub(crate) fn check(context: &Context) -> Result<Report> {
    let header = Header::read(&context.workspace.read(header::PATH)?)?;
    let sources = csharp::read_all(&context.workspace, csharp::LIBRARY)?;
    let declared = Declarations::read(sources.iter().map(String::as_str));
    let summary = format!(
        "{} functions, {} structs, {} constants, {} enumerations",
        header.functions.len(),
        header.structs.len(),
        header.constants.len(),
        ENUMS.len()
    );
    Report::unless(differences(&header, &declared), summary)
}

/// What differs, each thing by its name.
fn differences(header: &Header, declared: &Declarations) -> Vec<String> {
    let mut problems: Vec<String> =
        declared.unreadable.iter().map(|beginning| format!("cannot read `{beginning} …`")).collect();
    compare_functions(header, &declared.functions, &mut problems);
    compare_structs(header, declared, &mut problems);
    compare_sets("constant", map(&header.constants), map(&declared.constants), &mut problems);
    compare_enums(header, declared, &mut problems);
    problems
}

fn map(constants: &[(String, i64)]) -> BTreeMap<&str, i64> {
    constants.iter().map(|(name, value)| (name.as_str(), *value)).collect()
}

fn compare_functions(header: &Header, imports: &[Import], problems: &mut Vec<String>) {
    let expected = header.functions.iter().map(|function| (&*function.name, signature_of_header(header, function)));
    let declared = imports.iter().map(|import| (&*import.name, signature(&import.result, &import.parameters)));
    compare_sets("function", expected.collect(), declared.collect(), problems);
    for import in imports {
        if import.attribute != ATTRIBUTE {
            let (is, wanted) = (import.attribute.join(", "), ATTRIBUTE.join(", "));
            problems.push(format!("function {}: its [DllImport] has `{is}`, not `{wanted}`", import.name));
        }
    }
}

fn signature_of_header(header: &Header, function: &c_header::Function) -> String {
    let parameters: Vec<Variable> = function.parameters.iter().map(|it| blittable(header, it)).collect();
    signature(&csharp_type(header, &function.result), &parameters)
}

fn signature(result: &str, parameters: &[Variable]) -> String {
    let parameters: Vec<String> = parameters.iter().map(|Variable { name, kind }| format!("{kind} {name}")).collect();
    format!("{result} ({})", parameters.join(", "))
}

fn compare_structs(header: &Header, declared: &Declarations, problems: &mut Vec<String>) {
    let expected = header.structs.iter().map(|structure| {
        let fields: Vec<Variable> = structure.fields.iter().map(|field| blittable(header, field)).collect();
        (&*structure.name, fields)
    });
    let expected: BTreeMap<&str, Vec<Variable>> = expected.collect();
    let found: BTreeMap<&str, &[Variable]> =
        declared.structs.iter().map(|structure| (&*structure.name, &*structure.fields)).collect();
    let names = |fields: &[Variable]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
    for (name, expected) in &expected {
        let Some(found) = found.get(name) else {
            problems.push(format!("struct {name} is missing in C#"));
            continue;
        };
        if names(found) != names(expected) {
            let (found, expected) = (names(found).join(", "), names(expected).join(", "));
            problems.push(format!("struct {name} has the fields\n  {found}\nin C#, not\n  {expected}"));
            continue;
        }
        for (found, expected) in found.iter().zip(expected).filter(|(found, expected)| found != expected) {
            let (is, wanted) = (&found.kind, &expected.kind);
            problems.push(format!("struct {name}: {} is `{is}` in C#, not `{wanted}`", expected.name));
        }
    }
    for name in found.keys().filter(|name| !expected.contains_key(*name)) {
        problems.push(format!("struct {name} is in C# but not in the header"));
    }
}

/// A newer header's constant needs a member.
fn compare_enums(header: &Header, declared: &Declarations, problems: &mut Vec<String>) {
    for (name, beginnings) in ENUMS {
        let is_one = |constant: &&str| {
            beginnings.iter().any(|beginning| constant.starts_with(beginning)) && !constant.ends_with(SIZE)
        };
        let expected: BTreeSet<&str> = header.constants.iter().map(|(name, _)| &**name).filter(is_one).collect();
        let Some(found) = declared.enums.iter().find(|found| found.name == *name) else {
            problems.push(format!("enum {name} is missing in C#"));
            continue;
        };
        let found: BTreeSet<&str> = found.constants.iter().map(String::as_str).collect();
        for constant in expected.difference(&found) {
            problems.push(format!("enum {name} has no member for {constant}"));
        }
        for constant in found.difference(&expected) {
            problems.push(format!("enum {name} has a member for {constant}, which is of another kind"));
        }
    }
}

fn compare_sets<T: PartialEq + Debug>(
    what: &str,
    expected: BTreeMap<&str, T>,
    found: BTreeMap<&str, T>,
    problems: &mut Vec<String>,
) {
    for (name, expected) in &expected {
        match found.get(name) {
            None => problems.push(format!("{what} {name} is missing in C#")),
            Some(found) if found != expected => {
                problems.push(format!("{what} {name} is\n  {found:?}\nin C#, not\n  {expected:?}"));
            }
            Some(_) => {}
        }
    }
    for name in found.keys().filter(|name| !expected.contains_key(*name)) {
        problems.push(format!("{what} {name} is in C# but not in the header"));
    }
}

/// A field or a parameter as C# is to declare it.
fn blittable(header: &Header, variable: &c_header::Variable) -> Variable {
    Variable { name: variable.name.clone(), kind: csharp_type(header, &variable.kind) }
}

/// The C# type that crosses as it is: numbers, pointers, and handles as `IntPtr`.
fn csharp_type(header: &Header, kind: &c_header::Type) -> String {
    let base = header.aliases.get(&kind.base).unwrap_or(&kind.base);
    let (base, pointers) = match base.as_str() {
        handle if header.handles.contains(handle) => ("IntPtr", kind.pointers.saturating_sub(1)),
        "int32_t" => ("int", kind.pointers),
        "uint32_t" => ("uint", kind.pointers),
        "int64_t" => ("long", kind.pointers),
        "uint64_t" => ("ulong", kind.pointers),
        "size_t" => ("UIntPtr", kind.pointers),
        "char" | "uint8_t" => ("byte", kind.pointers),
        other => (other, kind.pointers),
    };
    match kind.length {
        Some(length) => format!("{base}[{length}]"),
        None => format!("{base}{}", "*".repeat(pointers)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
        #define ARR_OK 0\n#define ARR_ERROR_A (-100)\n#define ARR_ERROR_INFO_SIZE_V1 8\n\
        typedef struct arr_client arr_client;\ntypedef int32_t arr_status;\n\
        typedef struct arr_info { uint32_t struct_size; arr_status status; char text[7]; const char *const *models; } arr_info;\n\
        ARR_API arr_status arr_new(const struct arr_info *info, struct arr_client **client, uint64_t data, size_t *needed);\n\
        ARR_API const char *arr_name(void);\n";

    const CSHARP: &str = "\
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]\n\
        internal static extern int arr_new(arr_info* info, IntPtr* client, ulong data, UIntPtr* needed);\n\
        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]\n\
        internal static extern byte* arr_name();\n\
        struct arr_info { internal uint struct_size; internal int status; internal fixed byte text[7]; internal byte** models; }\n\
        const int ARR_OK = 0; const int ARR_ERROR_A = -100; const int ARR_ERROR_INFO_SIZE_V1 = 8;\n\
        enum ArrStatus { Ok = Native.ARR_OK, A = Native.ARR_ERROR_A }\n";

    /// The other enumerations are not in this header.
    fn found(csharp: &str) -> Vec<String> {
        let others: String = ENUMS[1..].iter().map(|(name, _)| format!("enum {name} {{ }}\n")).collect();
        let header = Header::read(HEADER).unwrap();
        differences(&header, &Declarations::read([csharp, &others]))
    }

    #[test]
    fn equal_declarations_have_no_difference() {
        assert_eq!(found(CSHARP), [""; 0]);
    }

    /// Each plants one difference, and names what is to be found in the one problem that is told.
    #[test]
    fn each_kind_of_difference_is_found() {
        let planted = [
            ("arr_name()", "arr_title()", "function arr_name is missing"),
            ("arr_name()", "arr_title()", "function arr_title is in C# but not in the header"),
            ("ulong data, ", "", "function arr_new is"),
            ("ulong data", "uint data", "function arr_new is"),
            ("UIntPtr* needed", "UIntPtr needed", "function arr_new is"),
            ("UIntPtr* needed", "out UIntPtr needed", "function arr_new is"),
            ("IntPtr* client, ulong data", "IntPtr* data, ulong client", "function arr_new is"),
            ("IntPtr* client", "IntPtr client", "function arr_new is"),
            ("byte* arr_name", "IntPtr arr_name", "function arr_name is"),
            ("CallingConvention.Cdecl", "CallingConvention.StdCall", "function arr_new: its [DllImport]"),
            (", ExactSpelling = true", "", "function arr_new: its [DllImport]"),
            ("ARR_ERROR_A = -100", "ARR_ERROR_A = -101", "constant ARR_ERROR_A is"),
            ("const int ARR_OK = 0;", "", "constant ARR_OK is missing"),
            ("const int ARR_OK = 0;", "const int ARR_OK = 0; const int ARR_YES = 0;", "constant ARR_YES is in C#"),
            ("internal int status; ", "", "struct arr_info has the fields"),
            (
                "internal uint struct_size; internal int status;",
                "internal int status; internal uint struct_size;",
                "struct arr_info has the fields",
            ),
            ("internal int status", "internal uint status", "struct arr_info: status is `uint`"),
            ("text[7]", "text[8]", "struct arr_info: text is `byte[8]`"),
            ("internal byte** models", "internal IntPtr models", "struct arr_info: models is `IntPtr`"),
            ("struct arr_info {", "struct arr_other { } struct arr_info {", "struct arr_other is in C#"),
            ("struct arr_info {", "struct arr_infos {", "struct arr_info is missing"),
            (", A = Native.ARR_ERROR_A", "", "enum ArrStatus has no member for ARR_ERROR_A"),
            ("Ok = Native.ARR_OK", "Ok = Native.ARR_ERROR_INFO_SIZE_V1", "of another kind"),
            ("ArrStatus", "ArrStates", "enum ArrStatus is missing"),
            ("= -100", "= ~99", "cannot read"),
        ];
        for (from, to, expected) in planted {
            let changed = CSHARP.replacen(from, to, 1);
            assert_ne!(changed, CSHARP, "{from} is not there");
            let found = found(&changed);
            assert!(found.iter().any(|problem| problem.contains(expected)), "{from} -> {to}: {found:?}");
        }
    }
}
