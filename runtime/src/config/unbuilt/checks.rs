//! Whether a value is one that a setting takes, where nobody needs it yet.

use super::super::reader::Remarks;

/// A version of the agent's interface, as the tracers write it.
pub(super) fn protocol(text: &str) -> Option<()> {
    matches!(text.strip_prefix(['v', 'V']).unwrap_or(text), "0.4" | "0.5" | "1.0").then_some(())
}

/// A list `header[:tag]`, the tag behind the last colon. Entries without a header or with nothing behind the colon are left out.
pub(super) fn header_tags(text: &str, remarks: &mut Remarks) -> Option<()> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let (left_out, kept): (Vec<_>, Vec<_>) =
        entries.partition(|entry| entry.starts_with(':') || entry.ends_with(':'));
    if !left_out.is_empty() {
        remarks.push(format!("\"{}\" are no headers with a tag and left out", left_out.join(",")));
    }
    (!kept.is_empty()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn header_without_name_or_tag_is_left_out() {
        let mut remarks = Remarks::new();
        assert!(header_tags("User-Agent,X-Req-Id:req.id,:bad,bad2:", &mut remarks).is_some());
        assert_eq!(remarks, ["\":bad,bad2:\" are no headers with a tag and left out"]);
        assert!(header_tags(" : ,:x", &mut Remarks::new()).is_none());
    }

    #[test]
    fn versions_are_those_of_the_agents_interface() {
        assert!(protocol("v0.5").is_some() && protocol("0.4").is_some() && protocol("2").is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_checked(text: String) {
            let _ = (protocol(&text), header_tags(&text, &mut Remarks::new()));
        }
    }
}
