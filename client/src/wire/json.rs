//! JSON from outside. Only the needed members are parsed, so the rest cannot cause errors: numbers out of range, lone
//! surrogates, deep nesting.

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
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

/// Reads each object of a list in one pass. The list is the JSON itself or, with `name`, a member of an object, whose
/// other members are returned. `None` if the JSON has another form; some objects may have been read by then.
pub(crate) fn read_objects<'a, E>(
    json: &'a str,
    name: Option<&str>,
    mut read: impl FnMut(&'a str, &Members<'a>) -> Result<(), E>,
) -> Option<Result<Members<'a>, E>> {
    let (mut rest, mut others, mut lists) = (Rest(json), Members::default(), 0);
    if let Some(name) = name {
        let mut is_more = rest.takes(b'{');
        while is_more {
            let member: Text = rest.parse(|json| Deserialize::deserialize(json))?;
            rest.takes(b':').then_some(())?;
            if *member.0 != *name.as_bytes() {
                others.0.push((member, rest.parse(|json| Deserialize::deserialize(json))?));
            } else if let Err(error) = rest.objects(&mut read)? {
                return Some(Err(error));
            } else {
                lists += 1;
            }
            is_more = rest.takes(b',');
            (is_more || rest.takes(b'}')).then_some(())?;
        }
        (lists == 1).then_some(())?;
    } else if let Err(error) = rest.objects(read)? {
        return Some(Err(error));
    }
    rest.after_space().is_empty().then_some(Ok(others))
}

/// The part of JSON that has not been read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn after_space(&self) -> &'a str {
        self.0.trim_start_matches([' ', '\n', '\t', '\r'])
    }

    /// Skips this byte and the space before it, if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.after_space();
        let is_next = rest.as_bytes().first() == Some(&byte);
        self.0 = if is_next { &rest[1..] } else { rest };
        is_next
    }

    /// Parses the next value.
    fn parse<T>(
        &mut self,
        parse: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'a>>) -> serde_json::Result<T>,
    ) -> Option<T> {
        let mut json = serde_json::Deserializer::from_str(self.0);
        let value = parse(&mut json).ok()?;
        self.0 = &self.0[json.into_iter::<IgnoredAny>().byte_offset()..];
        Some(value)
    }

    fn objects<E>(&mut self, mut read: impl FnMut(&'a str, &Members<'a>) -> Result<(), E>) -> Option<Result<(), E>> {
        let mut members = Members::default();
        self.takes(b'[').then_some(())?;
        let mut is_more = !self.takes(b']');
        while is_more {
            let start = self.after_space();
            members.0.clear();
            self.parse(|json| json.deserialize_map(&mut members))?;
            if let Err(error) = read(&start[..start.len() - self.0.len()], &members) {
                return Some(Err(error));
            }
            is_more = self.takes(b',');
            (is_more || self.takes(b']')).then_some(())?;
        }
        Some(Ok(()))
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

    #[test]
    fn a_list_of_objects_is_read_in_one_pass_and_each_object_kept_as_received() {
        fn texts<'a>(json: &'a str, name: Option<&str>) -> Option<(usize, Vec<(&'a str, usize)>)> {
            let mut objects = Vec::new();
            let read = |text, members: &Members<'_>| {
                objects.push((text, members.0.len()));
                Ok::<_, ()>(())
            };
            let others = read_objects(json, name, read)?.unwrap();
            Some((others.0.len(), objects))
        }
        let objects = vec![(r#"{"a" : 1e400}"#, 1), ("{\n}", 0), (r#"{"\ud800":"}]","b":[{}]}"#, 2)];
        let list = "[ {\"a\" : 1e400} ,{\n}, {\"\\ud800\":\"}]\",\"b\":[{}]} ]\r\n";
        assert_eq!(texts(list, None), Some((0, objects.clone())));
        let object = format!(r#" {{"x":"\udfff", "l" :{list}, "y":[1]}} "#);
        assert_eq!(texts(&object, Some("l")), Some((2, objects)));
        assert_eq!(texts("[]", None), Some((0, Vec::new())));
        for other in ["", "null", "[1]", "[{}", "[{},]", "[{}}", "[]x", "{}"] {
            assert_eq!(texts(other, None), None, "{other}");
        }
        for other in [
            "",
            "[]",
            "{}",
            r#""l":null"#,
            r#""l":{}"#,
            r#""l":[],"#,
            r#""l":[],"l":[]"#,
            r#""l" []"#,
            r#""x":NaN,"l":[]"#,
        ] {
            assert_eq!(texts(&format!("{{{other}}}"), Some("l")), None, "{other}");
        }
        for other in [r#"{"l":[]"#, r#"{"l":[]}}"#, r#"{"l":[{},1]}"#] {
            assert_eq!(texts(other, Some("l")), None, "{other}");
        }
    }
}
