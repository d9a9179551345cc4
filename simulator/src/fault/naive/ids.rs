//! Which ids count as seen.

use sluice_model::{
    EventRecord, EventTime, Span,
    limits::{DEDUPE_HORIZON, FUTURE_DAY_TOLERANCE, FUTURE_TOLERANCE},
};

use super::features::Features;

/// What is done with an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It is judged.
    Judged,
    /// It was seen with the same content.
    Duplicate,
    /// It is refused: a dead letter of this code.
    Refused(&'static str),
}

/// The ids that were seen, each with its content and the hour of the stream in which it was.
#[derive(Debug, Default)]
pub(super) struct Ids {
    seen: Vec<(String, u64, i64)>,
    /// The latest event time accepted.
    pub stream_time: EventTime,
}

impl Ids {
    /// What is done with an event. Ahead of when it was received: refused. More than three days behind the stream:
    /// refused, unless somebody says why it is late. Then an id means one content. Ids are forgotten once the hour of
    /// the stream in which they were seen lies wholly beyond the three days.
    pub(super) fn fate(&mut self, record: &EventRecord, features: &Features) -> Fate {
        let event = &record.event;
        let has_no_time = event.attributes.contains_key("booking_date");
        let tolerance = if has_no_time { FUTURE_DAY_TOLERANCE } else { FUTURE_TOLERANCE };
        if event.occurred_at > record.received_at.plus(tolerance) {
            features.met("dedupe: far future");
            return Fate::Refused("far_future");
        }
        let is_old = !self.seen.is_empty() && event.occurred_at <= self.stream_time.minus(DEDUPE_HORIZON);
        if is_old && record.late_reason.is_none() {
            features.met("dedupe: too old");
            return Fate::Refused("too_old");
        }
        let content = event.content_hash();
        if let Some((_, held, seen)) = self.seen.iter().find(|(id, ..)| *id == event.event_id) {
            if *held != content {
                features.met("dedupe: conflict");
                return Fate::Refused("conflict");
            }
            features.met("dedupe: duplicate");
            if hour(self.stream_time) - seen > 48 {
                features.met("dedupe: duplicate more than two days later");
            }
            return Fate::Duplicate;
        }
        if is_old {
            features.met("dedupe: let in late with a reason");
        }
        let moved = event.occurred_at > self.stream_time;
        self.stream_time = self.stream_time.max(event.occurred_at);
        self.seen.push((event.event_id.clone(), content, hour(self.stream_time)));
        if moved {
            let oldest = hour(self.stream_time.minus(DEDUPE_HORIZON));
            let before = self.seen.len();
            self.seen.retain(|(.., seen)| *seen >= oldest);
            if self.seen.len() < before {
                features.met("dedupe: id forgotten");
            }
        }
        Fate::Judged
    }
}

fn hour(at: EventTime) -> i64 {
    at.micros().div_euclid(Span::hours(1).micros())
}
