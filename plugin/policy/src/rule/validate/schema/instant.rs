//! Dates, times (RFC 3339, section 5.6) and durations (its appendix A).

/// `full-date`
pub(super) fn is_date(text: &str) -> bool {
    date(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}

/// `full-time`
pub(super) fn is_time(text: &str) -> bool {
    time(text.as_bytes()).is_some()
}

/// `date-time`
pub(super) fn is_date_time(text: &str) -> bool {
    match date(text.as_bytes()) {
        Some([b'T' | b't', clock @ ..]) => time(clock).is_some(),
        _ => false,
    }
}

/// `duration`
pub(super) fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else {
        return false;
    };
    let (days, clock) = match text.split_once('T') {
        Some((days, clock)) => (days, Some(clock)),
        None => (text, None),
    };
    match clock {
        None => counts(days, "W") == Some(1) || counts(days, "YMD").is_some_and(|n| n > 0),
        Some(clock) => counts(days, "YMD").is_some() && counts(clock, "HMS").is_some_and(|n| n > 0),
    }
}

/// How many counts there are, each with its unit, one unit right after the other.
fn counts(text: &str, units: &str) -> Option<usize> {
    let (mut rest, mut left, mut found) = (text, units, 0);
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let unit = after.chars().next().filter(|_| after.len() < rest.len())?;
        let (skipped, later) = left.split_once(unit)?;
        if found > 0 && !skipped.is_empty() {
            return None;
        }
        rest = after.strip_prefix(unit)?;
        left = later;
        found += 1;
    }
    Some(found)
}

/// What is behind a date.
fn date(text: &[u8]) -> Option<&[u8]> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = text else {
        return None;
    };
    let year = number([*y1, *y2])? * 100 + number([*y3, *y4])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match number([*m1, *m2])? {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=days).contains(&number([*d1, *d2])?).then_some(rest)
}

fn time(text: &[u8]) -> Option<()> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else {
        return None;
    };
    let (hour, minute, second) = (
        number([*h1, *h2])?,
        number([*m1, *m2])?,
        number([*s1, *s2])?,
    );
    let zone = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
            let digits = digits.count();
            fraction.get(digits..).filter(|_| digits > 0)?
        }
        rest => rest,
    };
    let ahead = offset(zone)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // A leap second is the last of a day in UTC.
    let utc = (hour * 60 + minute + 24 * 60 - ahead) % (24 * 60);
    (second < 60 || utc == 23 * 60 + 59).then_some(())
}

/// `time-offset` in minutes of a day, ahead of UTC.
fn offset(zone: &[u8]) -> Option<u32> {
    let (sign, [h1, h2, b':', m1, m2]) = (match zone {
        [b'Z' | b'z'] => return Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] => (*sign, rest),
        _ => return None,
    }) else {
        return None;
    };
    let (hour, minute) = (number([*h1, *h2])?, number([*m1, *m2])?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let minutes = hour * 60 + minute;
    Some(match sign {
        b'-' => 24 * 60 - minutes,
        _ => minutes,
    })
}

/// Two digits.
fn number([tens, ones]: [u8; 2]) -> Option<u32> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_of_rfc_3339() {
        let check = |is: fn(&str) -> bool, text: &str, expected: bool| {
            assert_eq!(is(text), expected, "{text}");
        };
        for text in ["2024-02-29", "2000-02-29", "0000-01-01", "9999-12-31"] {
            check(is_date, text, true);
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-04-31",
            "2024-4-1",
            "+024-01-01",
            "2024-01-1",
            "2024/01/01",
            "２０２４-01-01",
            "",
        ] {
            check(is_date, text, false);
        }
        for text in [
            "00:00:00Z",
            "23:59:60Z",
            "23:59:60.25z",
            "01:29:60+01:30",
            "15:59:60-08:00",
            "12:00:00.123456789123456789+23:59",
        ] {
            check(is_time, text, true);
        }
        for text in [
            "24:00:00Z",
            "12:60:00Z",
            "12:00:61Z",
            "22:59:60Z",
            "12:00:00",
            "12:00:00.Z",
            "12:00Z",
            "12:00:00+24:00",
            "12:00:00+0100",
            "12:00:00+01",
            "12:00:0é",
            "+1:+1:+1Z",
        ] {
            check(is_time, text, false);
        }
        check(is_date_time, "2024-05-05T12:34:56Z", true);
        check(is_date_time, "2024-05-05t12:34:56.5+02:00", true);
        check(is_date_time, "2024-05-05 12:34:56Z", false);
        check(is_date_time, "2024-05-05T12:34:56", false);
        check(is_date_time, "2024-05-05", false);
        for text in [
            "P4DT12H30M5S",
            "P1Y2M3D",
            "P2M",
            "PT36H",
            "P1DT12H",
            "P2W",
            "PT0S",
            "P0D",
        ] {
            check(is_duration, text, true);
        }
        for text in [
            "", "P", "PT", "P1DT", "T0S", "4D", "P1", "PT1D", "P2D1Y", "P1Y2D", "PT1H2S", "P2S",
            "P1Y2W", "P1.5D", "P-1D", "P１D", "PYD", "P1DT1H1H",
        ] {
            check(is_duration, text, false);
        }
    }
}
