//! What a text in a record may look like.

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextProblem {
    /// Nothing in it.
    Empty,
    /// More characters than allowed.
    TooLong,
    /// White space at an end, a control character, or a character that changes how others are displayed.
    Form,
}

/// Checks that `text` has 1 to `chars_max` characters, no white space at its ends, and shows what it holds:
/// no control characters, no line separators and no bidirectional overrides, which could make a certificate
/// read differently from its record.
pub(crate) fn check(text: &str, chars_max: usize) -> Result<(), TextProblem> {
    if text.is_empty() {
        return Err(TextProblem::Empty);
    }
    // A byte bound first, so that counting is bounded too.
    if text.len() > chars_max.saturating_mul(4) || text.chars().count() > chars_max {
        return Err(TextProblem::TooLong);
    }
    if text.trim().len() != text.len() || text.chars().any(is_deceptive) {
        return Err(TextProblem::Form);
    }
    Ok(())
}

fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_passes_and_the_rest_is_named() {
        assert_eq!(check("长春市 受理 2026-001 (一)", 100), Ok(()));
        assert_eq!(check("", 10), Err(TextProblem::Empty));
        assert_eq!(check("登记登记", 3), Err(TextProblem::TooLong));
        for text in
            [" a", "a ", "a\u{3000}", "a\nb", "a\u{202e}b", "a\u{0}b", "\u{feff}a", "a\u{85}b"]
        {
            assert_eq!(check(text, 10), Err(TextProblem::Form), "{text:?}");
        }
    }
}
