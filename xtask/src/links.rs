//! The links of pages. They are relative, and the packages have the checkout's layout, so each page works in both.

use std::path::Path;

/// The dead links of a page in `folder`.
pub(crate) fn dead_links<'a>(text: &'a str, folder: &Path) -> Vec<&'a str> {
    let mut in_code = false;
    let mut targets = Vec::new();
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        if !in_code {
            targets.extend(line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)));
        }
    }
    // Ignore places in the same page and on the web.
    targets.retain(|target| !target.starts_with('#') && !target.contains([':', ' ']));
    targets.retain(|target| !folder.join(target.split('#').next().unwrap_or_default()).exists());
    targets
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn dead_links_are_found() {
        let root = crate::workspace::Workspace::find().unwrap().root;
        let text = "[a](../README.md#x) [b](gone.md#y) [c](#c) [d](http://example.com)\n```cpp\nf([](int) {});\n```\n[e](no.md)";
        assert_eq!(dead_links(text, &root.join("docs")), ["gone.md#y", "no.md"]);
    }

    #[test]
    fn no_link_in_the_checkout_is_dead() {
        let root = crate::workspace::Workspace::find().unwrap().root;
        for folder in [root.clone(), root.join("docs"), root.join("client")] {
            for entry in fs::read_dir(&folder).unwrap() {
                let page = entry.unwrap().path();
                if page.extension().is_some_and(|ending| ending == "md") {
                    assert_eq!(dead_links(&fs::read_to_string(&page).unwrap(), &folder), [""; 0], "{}", page.display());
                }
            }
        }
    }
}
