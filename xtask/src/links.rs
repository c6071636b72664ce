//! The pages as they are in a package, where other files lie around them than in the sources: a link leads to what is there, or is
//! plain text.

use std::path::{Component, Path, PathBuf};

use anyhow::{Result, ensure};

/// A page for a package.
pub(crate) struct Page<'a> {
    pub(crate) text: &'a str,
    /// Where it lies in the sources, and where in the package.
    pub(crate) source: &'a str,
    pub(crate) place: &'a str,
}

impl Page<'_> {
    /// The text for the package. `places` tells where in the package a file of the sources lies, if it is in it.
    pub(crate) fn adapted(&self, root: &Path, places: &dyn Fn(&str) -> Option<String>) -> Result<String> {
        let mut adapted = String::new();
        let mut rest = self.text;
        for Link { start, end, text, target } in links(self.text) {
            let (file, anchor) = target.find('#').map_or((target, ""), |at| target.split_at(at));
            let source = resolve(self.source, file);
            ensure!(root.join(&source).exists(), "{}: there is no {target}", self.source);
            let here = self.text.len() - rest.len();
            adapted.push_str(&rest[..start - here]);
            match places(&source) {
                Some(place) => adapted.push_str(&format!("[{text}]({}{anchor})", from_to(self.place, &place))),
                None => {
                    // What is left of a picture is what it shows.
                    if adapted.ends_with('!') {
                        adapted.pop();
                    }
                    adapted.push_str(text);
                }
            }
            rest = &self.text[end..];
        }
        adapted.push_str(rest);
        Ok(adapted)
    }
}

/// The links of a page that lead nowhere; `folder` is what it lies in.
pub(crate) fn dead_links(text: &str, folder: &Path) -> Vec<String> {
    let file = |link: &Link<'_>| link.target.split('#').next().unwrap_or_default().to_owned();
    links(text).iter().map(file).filter(|file| !folder.join(file).exists()).collect()
}

/// A link to a file, in Markdown.
struct Link<'a> {
    start: usize,
    end: usize,
    text: &'a str,
    target: &'a str,
}

/// Those that stand in the text, but not in blocks of code.
fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    let mut code = false;
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("```") {
            code = !code;
        }
        if !code {
            let found = line.match_indices("](").filter_map(|(middle, _)| link_at(text, line_start + middle));
            links.extend(found);
        }
        line_start += line.len();
    }
    links
}

/// The link whose text ends at `middle`, if it is one to a file.
fn link_at(text: &str, middle: usize) -> Option<Link<'_>> {
    let start = text[..middle].rfind('[')?;
    let length = text[middle + 2..].find(')')?;
    let target = &text[middle + 2..middle + 2 + length];
    let elsewhere = target.starts_with('#') || target.contains(':') || target.contains(char::is_whitespace);
    let link = Link { start, end: middle + 2 + length + 1, text: &text[start + 1..middle], target };
    (!elsewhere && !target.is_empty()).then_some(link)
}

/// The path from the root of what a page calls so.
fn resolve(page: &str, target: &str) -> String {
    let mut path = PathBuf::from(page);
    path.pop();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    words(&path).join("/")
}

/// How the page at `from` calls what is at `to`.
fn from_to(from: &str, to: &str) -> String {
    let (from, to) = (words(Path::new(from)), words(Path::new(to)));
    let folder = from.len() - 1;
    let common = from[..folder].iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..".to_owned(), folder - common);
    up.chain(to[common..].iter().cloned()).collect::<Vec<_>>().join("/")
}

fn words(path: &Path) -> Vec<String> {
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_what_is_in_the_package_or_are_text() {
        let root = crate::workspace::Workspace::find().unwrap().root;
        let text = "See [`the header`](../include/arr_session.h#L1) and [emulator](emulator.md), ![a picture](images/viewer.png)\n\
                    or [here](#here) or [there](https://example.com/x).\n```cpp\nclient.pump([](const int&) {});\n```\n";
        let places = |source: &str| (source == "include/arr_session.h").then(|| source.to_owned());
        let adapt = |text| Page { text, source: "docs/cpp.md", place: "share/doc/x/cpp.md" }.adapted(&root, &places);
        let adapted = adapt(text).unwrap();
        let expected = text
            .replace("../include/", "../../../include/")
            .replace("[emulator](emulator.md)", "emulator")
            .replace("![a picture](images/viewer.png)", "a picture");
        assert_eq!(adapted, expected);
        assert!(
            adapt("[x](no/such/file.md)").unwrap_err().to_string().contains("docs/cpp.md: there is no no/such/file.md")
        );
    }

    #[test]
    fn links_that_lead_nowhere_are_told() {
        let root = crate::workspace::Workspace::find().unwrap().root;
        let text = "[a](../README.md#x) [b](gone.md) [c](#c) [d](http://example.com)";
        assert_eq!(dead_links(text, &root.join("docs")), ["gone.md"]);
    }

    #[test]
    fn paths_are_told_from_where_the_page_is() {
        assert_eq!(resolve("docs/cpp.md", "../include/x.h"), "include/x.h");
        assert_eq!(resolve("README.md", "./docs/cpp.md"), "docs/cpp.md");
        assert_eq!(from_to("README.md", "docs/x.md"), "docs/x.md");
        assert_eq!(from_to("share/doc/a/x.md", "share/doc/b/y.md"), "../b/y.md");
    }
}
