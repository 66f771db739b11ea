//! The date in the header of an answer, and how far it is from the time here.

use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that is written today. The name of the day is not looked at.
///
/// Source: `IMF-fixdate` in RFC 9110, section 5.6.7.
pub(super) fn read(text: &str) -> Option<SystemTime> {
    let (_, date) = text.split_once(", ")?;
    let words: Vec<&str> = date.split(' ').collect();
    let &[day, month, year, time, "GMT"] = words.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let (day, year) = (number(day, 2)?, number(year, 4)?);
    let clock: Vec<u64> = time.split(':').map(|part| number(part, 2)).collect::<Option<_>>()?;
    let &[hour, minute, second] = clock.as_slice() else { return None };
    // A second of 60 is one that is added to a day.
    if !(1..=31).contains(&day) || year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn number(digits: &str, len: usize) -> Option<u64> {
    let is_number = digits.len() == len && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Days since 1970 of a date from then on. The calendar is Howard Hinnant's `days_from_civil`.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

/// How far a clock here is from the agent's: at least so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skew {
    /// The clock here may be right.
    None,
    Ahead(Duration),
    Behind(Duration),
}

/// The skew of a clock by which an answer with this date was asked for and arrived. The date is cut to its second.
pub(super) fn skew(asked: SystemTime, arrived: SystemTime, date: SystemTime) -> Skew {
    let end = date + Duration::from_secs(1);
    match (asked.duration_since(end), date.duration_since(arrived)) {
        (Ok(ahead), _) if !ahead.is_zero() => Skew::Ahead(ahead),
        (_, Ok(behind)) if !behind.is_zero() => Skew::Behind(behind),
        _ => Skew::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(text: &str) -> Option<u64> {
        Some(read(text)?.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Tue, 29 Feb 2000 00:00:00 GMT"), Some(951_782_400));
        assert_eq!(seconds("Thu, 02 Jul 2026 13:46:40 GMT"), Some(1_783_000_000));
        for text in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn skew_is_what_the_round_trip_and_the_cut_second_leave() {
        let at = |ms| SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
        let skew = |asked, arrived| skew(at(asked), at(arrived), at(100_000));
        for (asked, arrived) in [(99_000, 100_000), (100_000, 100_000), (101_000, 103_000), (90_000, 110_000)]
        {
            assert_eq!(skew(asked, arrived), Skew::None, "{asked} {arrived}");
        }
        assert_eq!(skew(90_000, 99_000), Skew::Behind(Duration::from_secs(1)));
        assert_eq!(skew(103_000, 104_000), Skew::Ahead(Duration::from_secs(2)));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text: String, date in "[A-Z][a-z]{2}, [0-9]{2} (Jan|Feb|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT") {
            let _ = (read(&text), read(&date));
        }

        #[test]
        fn a_date_is_the_one_that_was_written(at in 0u32..) {
            let iso = crate::diagnostics::date(at);
            let month = MONTHS[iso[5..7].parse::<usize>().unwrap() - 1];
            let text = format!("Day, {} {month} {} {} GMT", &iso[8..10], &iso[..4], &iso[11..19]);
            prop_assert_eq!(seconds(&text), Some(u64::from(at)));
        }
    }
}
