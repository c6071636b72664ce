//! Shared by the tests of the source.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the package.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Every function of `src` that C can see.
pub(crate) fn exported_functions() -> Vec<syn::ItemFn> {
    let mut functions = Vec::new();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
        for item in file.items {
            if let syn::Item::Fn(function) = item
                && function.attrs.iter().any(is_export)
            {
                functions.push(function);
            }
        }
    }
    assert!(functions.len() > 10, "the search for exported functions is broken: it found {}", functions.len());
    functions
}

/// `#[unsafe(no_mangle)]` or `#[unsafe(export_name = …)]`.
fn is_export(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let text = list.tokens.to_string();
    list.path.is_ident("unsafe") && (text.starts_with("no_mangle") || text.starts_with("export_name"))
}
