//! Texts: NUL-terminated UTF-8 in; inline arrays and callers' buffers out.

use client::{ErrorKind, Result, abi};
use std::borrow::Cow;
use std::ffi::{CStr, c_char};

/// A caller's text; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL or a NUL-terminated text that stays unchanged while the result is used.
pub(super) unsafe fn optional<'a>(pointer: *const c_char, what: &str) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    let text = text.to_str().map_err(|_| abi::invalid_argument(format!("`{what}` is not valid UTF-8")))?;
    Ok(Some(text))
}

/// A caller's text that must not be NULL.
///
/// # Safety
/// As [`optional`].
pub(super) unsafe fn required<'a>(pointer: *const c_char, what: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { optional(pointer, what) }?.ok_or_else(|| abi::invalid_argument(format!("`{what}` is NULL, but required")))
}

/// An array of texts.
///
/// # Safety
/// `pointer` is NULL or has `count` pointers, each as [`optional`] requires.
pub(super) unsafe fn list<'a>(
    pointer: *const *const c_char,
    count: usize,
    most: usize,
    what: &str,
) -> Result<Vec<&'a str>> {
    // An uninitialised count is usually huge.
    if count > most {
        return Err(abi::invalid_argument(format!("{count} `{what}` are too many; the limit is {most}")));
    }
    if pointer.is_null() && count > 0 {
        return Err(abi::invalid_argument(format!("`{what}` is NULL, but their count is {count}")));
    }
    // SAFETY: the caller's promise covers `count` pointers and their texts.
    (0..count).map(|index| unsafe { required(pointer.add(index).read_unaligned(), what) }).collect()
}

/// A text in an array, truncated at a character boundary if necessary, and always NUL-terminated. An embedded NUL ends
/// it in C.
pub(super) fn inline<const N: usize>(text: &str) -> [c_char; N] {
    inline_of(&[text])
}

/// The same for the concatenation of texts. Allocates nothing.
pub(super) fn inline_of<const N: usize>(texts: &[&str]) -> [c_char; N] {
    let mut array = [0; N];
    let mut rest = &mut array[..N - 1];
    for text in texts {
        let fitting = text.floor_char_boundary(rest.len());
        let (here, after) = rest.split_at_mut(fitting);
        for (target, byte) in here.iter_mut().zip(text.bytes()) {
            *target = c_char::from_ne_bytes([byte]);
        }
        // After a cut, nothing follows.
        rest = if fitting < text.len() { &mut [] } else { after };
    }
    array
}

/// Replaces the names of options in a message, which are in backticks, with their names in C, where those of times end
/// in their unit.
pub(super) fn in_c(message: &str) -> Cow<'_, str> {
    const UNITS: [(&str, &[&str]); 2] = [
        (
            "_ms",
            &[
                "call_timeout",
                "attempt_timeout",
                "connect_timeout",
                "poll_interval",
                "ready_poll_interval",
                "retry_delay",
                "liveness",
            ],
        ),
        ("_seconds", &["max_lease", "min_remaining", "warn_before", "suspend_lease", "threshold", "amount", "cap"]),
    ];
    if !message.contains('`') {
        return Cow::Borrowed(message);
    }
    let with_unit = |part: &str| {
        let unit = UNITS.iter().find(|(_, options)| options.contains(&part)).map_or("", |(unit, _)| unit);
        format!("{part}{unit}")
    };
    Cow::Owned(message.split('`').map(with_unit).collect::<Vec<_>>().join("`"))
}

/// Checks a caller's buffer, which may be NULL if its capacity is 0.
pub(super) fn check_buffer(buffer: *mut c_char, capacity: usize) -> Result<()> {
    if buffer.is_null() && capacity > 0 {
        return Err(abi::invalid_argument(format!("the buffer is NULL, but its capacity is {capacity}")));
    }
    Ok(())
}

/// Writes a text to a caller's buffer of `capacity` bytes. `needed` is always set: the length in bytes with the final
/// NUL.
///
/// # Safety
/// `buffer` is NULL or writable for `capacity` bytes; `needed` is NULL or writable.
pub(super) unsafe fn into_buffer(text: &str, buffer: *mut c_char, capacity: usize, needed: *mut usize) -> Result<()> {
    check_buffer(buffer, capacity)?;
    let length = text.len() + 1;
    if !needed.is_null() {
        // SAFETY: the caller's promise.
        unsafe { needed.write_unaligned(length) };
    }
    if capacity < length {
        return Err(abi::error(
            ErrorKind::BufferTooSmall,
            format!("the buffer of {capacity} bytes is too small; {length} bytes are needed"),
        ));
    }
    // SAFETY: `buffer` has room for `length` bytes, and cannot overlap a text of ours.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast(), text.len());
        buffer.add(text.len()).write(0);
    }
    Ok(())
}

/// A length for a `uint32_t` field.
pub(super) fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// The text of an inline array, for tests.
#[cfg(test)]
pub(super) fn of_inline(array: &[c_char]) -> String {
    let bytes: Vec<u8> = array.iter().take_while(|c| **c != 0).map(|c| c.to_ne_bytes()[0]).collect();
    String::from_utf8(bytes).expect("inline texts are cut at character boundaries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inline_text_is_cut_at_a_character() {
        assert_eq!(of_inline(&inline::<4>("abc")), "abc");
        assert_eq!(of_inline(&inline::<4>("abcd")), "abc");
        assert_eq!(of_inline(&inline::<4>("aää")), "aä");
        assert_eq!(of_inline(&inline::<4>("aa€")), "aa");
        assert_eq!(of_inline(&inline_of::<8>(&["f", ": ", "aa€b"])), "f: aa");
    }

    #[test]
    fn a_message_has_the_options_names_in_c() {
        assert!(matches!(in_c("poll_interval, no name"), Cow::Borrowed(_)));
        assert_eq!(
            in_c("`ca_file` and `poll_interval`, not poll_interval"),
            "`ca_file` and `poll_interval_ms`, not poll_interval"
        );
        assert_eq!(in_c("`cap` `unknown` `"), "`cap_seconds` `unknown` `");
        let layout = include_str!("../abi/layout.txt");
        let structs = layout.split("\nstruct ").filter(|one| one.split(' ').next().unwrap().ends_with("_options"));
        let fields =
            structs.flat_map(|one| one.lines().skip(1)).map(|line| line.split_whitespace().next().unwrap_or(""));
        let times: Vec<_> = fields.filter(|field| field.ends_with("_ms") || field.ends_with("_seconds")).collect();
        assert!(times.len() >= 14, "{times:?}");
        for field in times {
            let option = field.trim_end_matches("_ms").trim_end_matches("_seconds");
            assert_eq!(in_c(&format!("`{option}`")), format!("`{field}`"));
        }
    }

    #[test]
    fn a_small_buffer_is_unchanged_and_the_size_is_returned() {
        let (mut buffer, mut needed) = ([7 as c_char; 4], 0);
        // SAFETY: the buffer has the stated size.
        let result = unsafe { into_buffer("abcd", buffer.as_mut_ptr(), buffer.len(), &raw mut needed) };
        assert_eq!(result.unwrap_err().kind(), ErrorKind::BufferTooSmall);
        assert_eq!((needed, buffer), (5, [7; 4]));
        // SAFETY: as above.
        unsafe { into_buffer("abc", buffer.as_mut_ptr(), buffer.len(), &raw mut needed) }.unwrap();
        assert_eq!((needed, of_inline(&buffer)), (4, "abc".into()));
    }
}
