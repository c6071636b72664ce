//! JSON from outside. Only the needed members are parsed, so the rest cannot cause errors: numbers out of range, lone
//! surrogates, deep nesting.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The members of an object. Their values are skipped without recursion, and parsed when they are asked for.
#[derive(Default)]
pub(crate) struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

/// More than any object of the service has.
const USUAL_MEMBERS: usize = 16;

impl<'a> Members<'a> {
    pub(crate) fn read(json: &'a str) -> serde_json::Result<Members<'a>> {
        let mut members = Members::default();
        members.add(json)?;
        Ok(members)
    }

    /// The members before the first error in damaged or truncated JSON.
    pub(crate) fn read_damaged(json: &'a str) -> Members<'a> {
        let mut members = Members::default();
        let _ = members.add(json);
        members
    }

    fn add(&mut self, json: &'a str) -> serde_json::Result<()> {
        let mut json = serde_json::Deserializer::from_str(json);
        json.deserialize_map(self)?;
        json.end()
    }

    /// The member of this name, or the last of several. Null and missing are equivalent. The error names the malformed
    /// member, and quotes nothing.
    pub(crate) fn get<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, String> {
        let value = self.find(name).map(|value| serde_json::from_str(value.get())).transpose();
        value.map(Option::flatten).map_err(|_| malformed(name))
    }

    /// Whether there is no member of another name.
    pub(crate) fn has_only(&self, name: &str) -> bool {
        self.0.iter().all(|(found, _)| *found.0 == *name.as_bytes())
    }

    /// The entries of a list: none if it is null, or if the object is empty. Another object without it is no list.
    pub(crate) fn listed(&self, name: &str) -> Result<Vec<&'a RawValue>, String> {
        match self.get(name)? {
            None if self.find(name).is_some() || self.0.is_empty() => Ok(Vec::new()),
            entries => entries.ok_or_else(|| format!("it has no \"{name}\"")),
        }
    }

    /// A text; an empty one is equivalent to none.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, String> {
        let text = match self.find(name).and_then(without_escapes) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => self.get::<Text>(name)?.map(|text| Cow::Owned(text.into_string())),
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// The member of this name, or the last of several.
    fn find(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(found, _)| *found.0 == *name.as_bytes()).map(|(_, value)| *value)
    }

    /// An object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Members<'a>>, String> {
        let object = self.get::<&RawValue>(name)?.map(|object| Members::read(object.get()));
        object.transpose().map_err(|_| malformed(name))
    }
}

/// The text in a JSON string, if it is written as it is.
fn without_escapes(value: &RawValue) -> Option<&str> {
    let text = value.get().strip_prefix('"')?.strip_suffix('"')?;
    (!text.as_bytes().contains(&b'\\')).then_some(text)
}

fn malformed(name: &str) -> String {
    format!("its \"{name}\" is malformed")
}

impl<'de> Visitor<'de> for &mut Members<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.reserve(USUAL_MEMBERS);
        while let Some(member) = map.next_entry()? {
            self.0.push(member);
        }
        Ok(())
    }
}

/// A text that may contain lone surrogates, unlike a `String`.
pub(crate) struct Text<'a>(Cow<'a, [u8]>);

impl Text<'_> {
    pub(crate) fn into_string(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
                Ok(Text(bytes.to_owned().into()))
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                Ok(Text(bytes.into()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_members_that_are_read_can_be_malformed() {
        let deep = "[{\"a\":".repeat(100_000) + "[]" + &"}]".repeat(100_000);
        let json =
            format!(r#"{{"x":1e400,"\ud800":"\udfff","y":{deep},"a":1,"a":2,"t":"\ud83d\ude00\ud800.","n":null}}"#);
        let members = Members::read(&json).unwrap();
        assert_eq!(
            (members.get("a"), members.get::<u16>("n"), members.get::<u16>("z")),
            (Ok(Some(2)), Ok(None), Ok(None))
        );
        assert!(members.text("t").unwrap().unwrap().starts_with("😀\u{fffd}"));
        for name in ["x", "y", "t"] {
            assert!(members.get::<u16>(name).unwrap_err().contains(name));
        }
        assert!(members.get::<serde_json::Value>("y").is_err(), "without exhausting the stack");
        assert!(Members::read(&json[..json.len() - 1]).is_err() && Members::read("[]").is_err());
        assert_eq!(Members::read_damaged(r#"{"a":1,"b":NaN"#).get("a"), Ok(Some(1)));
    }
}
