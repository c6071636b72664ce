//! Generates the C# declarations of the native library from the C header: `cargo xtask header` writes them with it.

use crate::abi::c_header::{Function, Header, Struct, Type, Variable};

const WIDTH: usize = 120;

const FUNCTIONS: &str = "bindings/csharp/Native.cs";
const CONSTANTS: &str = "bindings/csharp/NativeConstants.cs";
const STRUCTS: &str = "bindings/csharp/NativeStructs.cs";

/// The generated files, by their paths.
pub(crate) fn texts(header: &Header) -> [(&'static str, String); 3] {
    [(FUNCTIONS, functions(header)), (CONSTANTS, constants(header)), (STRUCTS, structs(header))]
}

fn functions(header: &Header) -> String {
    let mut text = "\
// The functions of arr_session.h, in its order: generated from it. Everything that crosses is blittable: numbers, pointers
// and structs of both, so that nothing is copied or marshalled.

using System;
using System.Runtime.InteropServices;

namespace ArrSession
{
    internal static unsafe partial class Native
    {
        /// <summary>The file's name without what the platform puts around it: no dot, which UWP would not load.</summary>
#if UNITY_IOS && !UNITY_EDITOR
        internal const string Library = \"__Internal\";
#else
        internal const string Library = \"arr_session\";
#endif
"
    .to_owned();
    for function in &header.functions {
        text += "\n        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]\n";
        text += &declaration(header, function);
    }
    text + "    }\n}\n"
}

/// On one line if it fits, or with the parameters below.
fn declaration(header: &Header, function: &Function) -> String {
    let head = format!("        internal static extern {} {}(", csharp_type(header, &function.result), function.name);
    let parameters: Vec<String> = function.parameters.iter().map(|it| variable(header, it)).collect();
    let line = format!("{head}{});\n", parameters.join(", "));
    if line.trim_end().len() <= WIDTH {
        return line;
    }
    let mut lines = vec![String::new()];
    for (index, parameter) in parameters.iter().enumerate() {
        let end = if index + 1 == parameters.len() { ");" } else { "," };
        let last = lines.last_mut().expect("there is a line");
        if !last.is_empty() && 12 + last.len() + 1 + parameter.len() + end.len() > WIDTH {
            lines.push(format!("{parameter}{end}"));
        } else {
            *last += &format!("{}{parameter}{end}", if last.is_empty() { "" } else { " " });
        }
    }
    format!("{head}\n{}", lines.iter().map(|line| format!("            {line}\n")).collect::<String>())
}

fn constants(header: &Header) -> String {
    let mut text = "\
// The numbers of arr_session.h, under their names there and in its order: generated from it.

namespace ArrSession
{
    internal static unsafe partial class Native
    {
"
    .to_owned();
    let mut before = None;
    for (name, value) in &header.constants {
        let group = group(name);
        if before.is_some_and(|before| before != group) {
            text.push('\n');
        }
        before = Some(group);
        text += &match u32::try_from(*value) {
            Ok(u32::MAX) => format!("        internal const uint {name} = uint.MaxValue;\n"),
            Ok(value) if value > i32::MAX as u32 => format!("        internal const uint {name} = {value};\n"),
            _ => format!("        internal const int {name} = {value};\n"),
        };
    }
    text + "    }\n}\n"
}

/// Neighbours with the same key stand together.
fn group(name: &str) -> &str {
    if name.ends_with("_SIZE_V1") {
        return "sizes";
    }
    if name == "ARR_OK" {
        return "ARR_ERROR";
    }
    name.match_indices('_').nth(1).map_or(name, |(second, _)| &name[..second])
}

fn structs(header: &Header) -> String {
    let mut text = "\
// The structs of arr_session.h, field by field under their names there: generated from it. A test compares sizes and
// offsets with those in C.

using System;
using System.Runtime.InteropServices;

// Fields that only the native side writes, or reads.
#pragma warning disable 0169, 0649

namespace ArrSession
{
"
    .to_owned();
    for (index, Struct { name, fields }) in header.structs.iter().enumerate() {
        text += if index > 0 { "\n" } else { "" };
        text += &format!("    [StructLayout(LayoutKind.Sequential)]\n    internal unsafe struct {name}\n    {{\n");
        for field in fields {
            text += &match field.kind.length {
                Some(length) => {
                    let kind = csharp_type(header, &field.kind);
                    format!("        internal fixed {kind} {}[{length}];\n", name_in_csharp(field))
                }
                None => format!("        internal {};\n", variable(header, field)),
            };
        }
        text += "    }\n";
    }
    text + "}\n\n#pragma warning restore 0169, 0649\n"
}

fn variable(header: &Header, variable: &Variable) -> String {
    format!("{} {}", csharp_type(header, &variable.kind), name_in_csharp(variable))
}

/// `event` is a keyword.
fn name_in_csharp(variable: &Variable) -> String {
    if variable.name == "event" { "@event".to_owned() } else { variable.name.clone() }
}

/// The blittable C# type: numbers, pointers, and `IntPtr` for handles.
fn csharp_type(header: &Header, kind: &Type) -> String {
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
    format!("{base}{}", "*".repeat(pointers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_blittable_and_keywords_escaped() {
        let header = Header::read(
            "#define ARR_OK 0\n#define ARR_ERROR_A (-100)\n#define ARR_WAIT_FOREVER UINT32_MAX\n\
             typedef struct arr_client arr_client;\ntypedef int32_t arr_status;\n\
             typedef struct arr_info { arr_status status; char text[7]; const char *const *models; } arr_info;\n\
             ARR_API arr_status arr_new(const struct arr_info *event, struct arr_client **client, size_t *needed);\n",
        )
        .unwrap();
        let [(_, functions), (_, constants), (_, structs)] = texts(&header);
        let declared =
            "internal static extern int arr_new(arr_info* @event, IntPtr* client, UIntPtr* needed);\n    }\n}\n";
        assert!(functions.ends_with(declared), "{functions}");
        let numbers = "internal const int ARR_OK = 0;\n        internal const int ARR_ERROR_A = -100;\n\n        \
                       internal const uint ARR_WAIT_FOREVER = uint.MaxValue;\n";
        assert!(constants.contains(numbers), "{constants}");
        let fields = "internal int status;\n        internal fixed byte text[7];\n        internal byte** models;\n";
        assert!(structs.contains(fields), "{structs}");
    }
}
