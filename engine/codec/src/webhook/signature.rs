//! The signature in a header: what is signed, how it is written, and how long it is good for.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use sluice_model::{EventTime, Span, limits::DEDUPE_HORIZON};

use super::{
    Secrets, Unverified,
    secrets::Algorithm,
    template::{Piece, pieces},
};

/// How far a timestamp may be from now where nothing is said: what senders advise.
const TOLERANCE: &str = "5m";
/// The furthest that may be said: what is sent again within it is still known as a duplicate.
const TOLERANCE_MAX: Span = DEDUPE_HORIZON;

/// How a sender signs, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    header: String,
    part: Option<String>,
    #[serde(default)]
    prefix: String,
    algorithm: Algorithm,
    encoding: Encoding,
    #[serde(default = "body_alone")]
    signs: String,
    timestamp: Option<WrittenTimestamp>,
}

fn body_alone() -> String {
    "{body}".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTimestamp {
    header: String,
    part: Option<String>,
    #[serde(default)]
    unit: Unit,
    tolerance: Option<String>,
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Hex,
    Base64,
}

/// What a timestamp counts since 1970.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum Unit {
    #[default]
    #[serde(rename = "1s")]
    Second,
    #[serde(rename = "1ms")]
    Millisecond,
}

/// Where a text stands: in a header of its own, or in one part of a header such as `t=1,v1=a`.
#[derive(Debug)]
struct Place {
    header: String,
    part: Option<String>,
}

/// How a sender signs.
#[derive(Debug)]
pub(super) struct Scheme {
    place: Place,
    prefix: String,
    algorithm: Algorithm,
    encoding: Encoding,
    signs: Vec<Piece>,
    timestamp: Option<Timestamp>,
}

#[derive(Debug)]
struct Timestamp {
    place: Place,
    unit: Unit,
    tolerance: Span,
}

impl Scheme {
    /// The scheme that is written, or what of it cannot be.
    pub(super) fn new(written: Written) -> Result<Self, String> {
        let signs = pieces(&written.signs)?;
        let signs_a_timestamp = signs.contains(&Piece::Timestamp);
        if !signs.contains(&Piece::Body) {
            return Err("`signs` has no {body}: it would sign nothing of what is read".into());
        }
        if signs_a_timestamp != written.timestamp.is_some() {
            return Err("a timestamp counts only where it is signed: \
                        give both {timestamp} in `signs` and [signature.timestamp], or neither"
                .into());
        }
        Ok(Self {
            place: Place { header: written.header, part: written.part },
            prefix: written.prefix,
            algorithm: written.algorithm,
            encoding: written.encoding,
            signs,
            timestamp: written.timestamp.map(Timestamp::new).transpose()?,
        })
    }

    /// Whether the holder of a secret signed this body, for a time near now. `header`: the value of a header that came
    /// once.
    pub(super) fn verify<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        now: EventTime,
        secrets: &Secrets,
    ) -> Result<(), Unverified> {
        let stamp = self.timestamp.as_ref().map(|timestamp| timestamp.read(&header)).transpose()?;
        let stamp_text = stamp.map_or("", |(text, _)| text);
        let message: Vec<&[u8]> = self.signs.iter().map(|piece| piece.bytes(stamp_text, body)).collect();
        let signatures = self.signatures(self.place.values(&header)?)?;
        if !signatures.iter().any(|given| secrets.made(given, self.algorithm, &message)) {
            return Err(Unverified::Mismatch);
        }
        match (&self.timestamp, stamp) {
            (Some(timestamp), Some((_, at))) => timestamp.is_near(at, now),
            _ => Ok(()),
        }
    }

    fn signatures(&self, values: Vec<&str>) -> Result<Vec<Vec<u8>>, Unverified> {
        let decoded = values.into_iter().filter_map(|value| {
            let value = value.strip_prefix(self.prefix.as_str())?;
            match self.encoding {
                Encoding::Hex => hex::decode(value).ok(),
                Encoding::Base64 => BASE64_STANDARD.decode(value).ok(),
            }
        });
        let decoded: Vec<_> = decoded.collect();
        if decoded.is_empty() {
            return Err(Unverified::Malformed {
                place: self.place.name(),
                expected: self.encoding.expected(),
            });
        }
        Ok(decoded)
    }
}

impl Encoding {
    const fn expected(self) -> &'static str {
        match self {
            Self::Hex => "a signature in hexadecimal digits",
            Self::Base64 => "a signature in base64",
        }
    }
}

impl Place {
    /// What stands there, at least once.
    fn values<'h>(&self, header: impl Fn(&str) -> Option<&'h str>) -> Result<Vec<&'h str>, Unverified> {
        let missing = || Unverified::Missing(self.name());
        let whole = header(&self.header).ok_or_else(missing)?.trim();
        let Some(part) = &self.part else { return Ok(vec![whole]) };
        let parts = whole.split(',').filter_map(|pair| pair.trim().split_once('='));
        let values: Vec<_> = parts.filter(|(name, _)| name == part).map(|(_, value)| value).collect();
        if values.is_empty() { Err(missing()) } else { Ok(values) }
    }

    fn name(&self) -> String {
        match &self.part {
            Some(part) => format!("{} ({part})", self.header),
            None => self.header.clone(),
        }
    }
}

impl Timestamp {
    fn new(written: WrittenTimestamp) -> Result<Self, String> {
        let tolerance = written.tolerance.as_deref().unwrap_or(TOLERANCE);
        let tolerance: Span =
            tolerance.parse().map_err(|error| format!("`tolerance` of the timestamp is {error}"))?;
        if tolerance <= Span::ZERO || tolerance > TOLERANCE_MAX {
            return Err(format!(
                "`tolerance` of the timestamp must be more than nothing, and {TOLERANCE_MAX} at most"
            ));
        }
        let place = Place { header: written.header, part: written.part };
        Ok(Self { place, unit: written.unit, tolerance })
    }

    /// The timestamp as it is written, which is what was signed, and as a time.
    fn read<'h>(&self, header: impl Fn(&str) -> Option<&'h str>) -> Result<(&'h str, EventTime), Unverified> {
        let malformed = || Unverified::Malformed { place: self.place.name(), expected: "one whole number" };
        let [text] = self.place.values(header)?[..] else { return Err(malformed()) };
        let count: i64 = text.parse().map_err(|_| malformed())?;
        let micros = match self.unit {
            Unit::Second => count.saturating_mul(1_000_000),
            Unit::Millisecond => count.saturating_mul(1_000),
        };
        Ok((text, EventTime::from_micros(micros)))
    }

    fn is_near(&self, at: EventTime, now: EventTime) -> Result<(), Unverified> {
        let is_near = at >= now.minus(self.tolerance) && at <= now.plus(self.tolerance);
        if is_near { Ok(()) } else { Err(Unverified::OutsideWindow(self.tolerance)) }
    }
}
