//! As much of YAML as Unity writes into its `.meta` files: maps, lists of maps, and texts.

use anyhow::{Context as _, Result, bail, ensure};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Map(Vec<(String, Value)>),
    List(Vec<Value>),
}

impl Value {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            ensure!(!line.contains('\t'), "line {}: a tab", index + 1);
            let content = line.trim_start();
            if !content.trim_end().is_empty() {
                lines.push(Line { number: index + 1, indent: line.len() - content.len(), content: content.to_owned() });
            }
        }
        let mut parser = Parser { lines, at: 0 };
        let value = parser.map(0)?;
        match parser.next() {
            Some(line) => bail!("line {}: it belongs to nothing", line.number),
            None => Ok(value),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A map's entries that are texts. `{}` has none.
    pub(crate) fn texts(&self) -> Vec<(&str, &str)> {
        let Self::Map(entries) = self else { return Vec::new() };
        entries
            .iter()
            .filter_map(|(key, value)| match value {
                Self::Text(text) => Some((key.as_str(), text.as_str())),
                _ => None,
            })
            .collect()
    }
}

struct Line {
    number: usize,
    indent: usize,
    content: String,
}

struct Parser {
    lines: Vec<Line>,
    at: usize,
}

impl Parser {
    fn next(&self) -> Option<&Line> {
        self.lines.get(self.at)
    }

    fn map(&mut self, indent: usize) -> Result<Value> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        while let Some(line) = self.next().filter(|line| line.indent == indent && !line.content.starts_with("- ")) {
            let number = line.number;
            let (key, text) = split(&line.content).with_context(|| format!("line {number}: no `key: value`"))?;
            self.at += 1;
            let value = if text.is_empty() { self.below(indent)? } else { Value::Text(text) };
            ensure!(entries.iter().all(|(earlier, _)| *earlier != key), "line {number}: `{key}` for the second time");
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }

    /// What stands below a key that has nothing behind it: a list (as deep as the key), a map (deeper), or nothing.
    fn below(&mut self, indent: usize) -> Result<Value> {
        match self.next() {
            Some(line) if line.indent >= indent && line.content.starts_with("- ") => {
                let indent = line.indent;
                self.list(indent)
            }
            Some(line) if line.indent > indent => {
                let indent = line.indent;
                self.map(indent)
            }
            _ => Ok(Value::Text(String::new())),
        }
    }

    fn list(&mut self, indent: usize) -> Result<Value> {
        let mut items = Vec::new();
        while self.next().is_some_and(|line| line.indent == indent && line.content.starts_with("- ")) {
            // An item is a map, two deeper, whose first key stands behind the dash.
            let line = &mut self.lines[self.at];
            line.content.replace_range(..2, "");
            line.indent += 2;
            items.push(self.map(indent + 2)?);
        }
        Ok(Value::List(items))
    }
}

/// Unity writes `: Any` too: a key without a name.
fn split(content: &str) -> Option<(String, String)> {
    let (key, text) = match content.split_once(": ") {
        Some((key, text)) => (key, text),
        None => (content.trim_end().strip_suffix(':')?, ""),
    };
    Some((key.to_owned(), text.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_unity_writes() {
        let value = Value::parse(
            "guid: 12\nPluginImporter:\n  iconMap: {}\n  platformData:\n  - first:\n      : Any\n    second:\n      \
             enabled: 0\n      settings: {}\n  - first:\n      Any: \n    second:\n      enabled: 1\n  userData: \n",
        )
        .unwrap();
        assert_eq!(value.text("guid"), Some("12"));
        let importer = value.get("PluginImporter").unwrap();
        assert_eq!(importer.text("userData"), Some(""));
        let Some(Value::List(items)) = importer.get("platformData") else { panic!("no list") };
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].get("first").unwrap().texts(), [("", "Any")]);
        assert_eq!(items[1].get("first").unwrap().texts(), [("Any", "")]);
        assert_eq!(items[1].get("second").unwrap().text("enabled"), Some("1"));
    }

    #[test]
    fn what_is_broken_is_told_with_its_line() {
        for (text, line) in [("a: 1\nb", "line 2"), ("a: 1\n  b: 2\n", "line 2"), ("a: 1\na: 2\n", "line 2")] {
            let error = format!("{:#}", Value::parse(text).unwrap_err());
            assert!(error.contains(line), "{error}");
        }
    }
}
