//! Rules of the C ABI that its source must follow.

mod common;

use syn::{Expr, Stmt};

/// Every exported function is one call of the guard, with its own name. No code runs outside of it.
#[test]
fn every_exported_function_is_guarded_and_names_itself() {
    for function in common::exported_functions() {
        let name = function.sig.ident.to_string();
        let guarded =
            guard_call(&function).unwrap_or_else(|| panic!("{name}: the body must end in one call of guard::…"));
        assert_eq!(guarded, name, "the guard of {name} must be given its own name");
    }
}

/// The name given to the guard, if the function's body has only constants and one guarded call.
fn guard_call(function: &syn::ItemFn) -> Option<String> {
    let (last, before) = function.block.stmts.split_last()?;
    if !before.iter().all(is_declaration) {
        return None;
    }
    let mut expression = match last {
        Stmt::Expr(expression, _) => expression,
        _ => return None,
    };
    while let Expr::Unsafe(block) = expression {
        match block.block.stmts.as_slice() {
            [Stmt::Expr(inner, _)] => expression = inner,
            _ => return None,
        }
    }
    let Expr::Call(call) = expression else { return None };
    let Expr::Path(path) = &*call.func else { return None };
    if path.path.segments.first()?.ident != "guard" {
        return None;
    }
    match call.args.first()? {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) => Some(name.value()),
        _ => None,
    }
}

/// A constant, or a `let` of a plain struct: nothing that can panic.
fn is_declaration(statement: &Stmt) -> bool {
    match statement {
        Stmt::Item(syn::Item::Const(_)) => true,
        Stmt::Local(local) => local.init.as_ref().is_some_and(|init| matches!(*init.expr, Expr::Struct(_))),
        _ => false,
    }
}

/// Only fixed-width integers, sizes and pointers cross the boundary, and no function is variadic.
#[test]
fn only_plain_types_cross_the_boundary() {
    const PLAIN: [&str; 9] = ["u8", "u16", "u32", "u64", "i32", "i64", "f64", "usize", "c_char"];
    for function in common::exported_functions() {
        let name = function.sig.ident.to_string();
        assert!(function.sig.variadic.is_none(), "{name}");
        let inputs = function.sig.inputs.iter().map(|input| match input {
            syn::FnArg::Typed(typed) => &*typed.ty,
            syn::FnArg::Receiver(_) => panic!("{name}"),
        });
        let output = match &function.sig.output {
            syn::ReturnType::Type(_, ty) => Some(&**ty),
            syn::ReturnType::Default => None,
        };
        for ty in inputs.chain(output) {
            let plain = match ty {
                syn::Type::Ptr(_) => true,
                syn::Type::Path(path) => {
                    let ident = path.path.segments.last().unwrap().ident.to_string();
                    // Enumerations are typedefs of int32_t; structs cross by pointer only.
                    PLAIN.contains(&ident.as_str())
                        || ["arr_status", "arr_category", "arr_stop_scope"].contains(&ident.as_str())
                }
                _ => false,
            };
            assert!(plain, "{name} has a parameter or a result that may not cross");
        }
    }
}
