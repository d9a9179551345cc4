//! `POST /v1/decisions`: an event, and the answer to it: allow, hold or reject, this event included.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
};
use serde::Deserialize;
use sluice_core::{OUTCOME_ON_DEADLINE, REASON_ON_DEADLINE, deadline_alert};
use sluice_http::{Caller, Problem};
use sluice_model::{Control, Decision, PaymentEvent, PaymentRecord, limits::BODY_BYTES_MAX};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    RuntimeError,
    deadlines::Full,
    desk::{Answer, NoPlace},
    gateway::Intake,
    http::{
        App,
        answer::{self, Attempt},
        body,
        events::{SOURCE, codes, whole_refusal},
        problem::{bad_request, busy},
    },
    ingest::{self, Format},
    limits::{DEADLINE_RECORD_WAIT, DECISION_DEADLINE, DECISION_DEADLINE_MAX},
};

/// How long the payment service waits.
#[derive(Deserialize)]
pub(super) struct Wait {
    /// In milliseconds; [`DECISION_DEADLINE`] where it is not said, [`DECISION_DEADLINE_MAX`] at most.
    deadline_ms: Option<u64>,
}

/// Take in one event and answer what is decided of it.
pub(super) async fn post_decision(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    wait: Result<Query<Wait>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Decision>, Problem> {
    let began = Instant::now();
    let Query(wait) = wait?;
    let received_at = app.stamp()?;
    let asked = wait.deadline_ms.map_or(DECISION_DEADLINE, Duration::from_millis);
    let deadline = began + asked.min(DECISION_DEADLINE_MAX);

    let format = body::format(&headers, &[Format::Json])?;
    let lent = body::read(&app, &app.decision_bodies, &headers, body, BODY_BYTES_MAX).await?;
    let reserved = match answer::turn(&app, "/v1/decisions", &caller, &headers, &lent.bytes, received_at)? {
        Attempt::Do(reserved) => reserved,
        // The event is a duplicate of itself: asking the engine again gives the same answer.
        Attempt::Done(_) => None,
    };
    let mut contents = body::decode(&app, format, app.zone.clone(), &lent.bytes).await?;
    drop(lent.bytes);
    if let Some(problem) = whole_refusal(format, contents.events.len(), &contents.refused) {
        let codes = codes(&contents.refused);
        let (payments, dead_letters) = contents.into_records(received_at, SOURCE);
        app.gateway.take_in(Intake { payments, dead_letters, ..Intake::default() }).await?;
        app.telemetry.taken_in(0, codes);
        return Err(problem);
    }
    let event = contents.events.pop().ok_or_else(|| bad_request("the body holds no event"))?;

    let mut ticket = app.desk.wait_for(&event).map_err(|reason| match reason {
        NoPlace::Full => busy("too many decisions are waited for at once"),
        NoPlace::Contested => Problem::coded(
            StatusCode::CONFLICT,
            "contested",
            "an event with this event_id and other content is being decided: try again shortly",
        ),
    })?;
    let mut record = ingest::record(event, received_at);
    record.awaited = true;
    let event = Arc::clone(&record.event);
    let answered = reserved.as_ref().map(|reserved| reserved.answered(None));
    let intake = Intake {
        payments: vec![PaymentRecord::Event(record)],
        answered: answered.clone(),
        ..Intake::default()
    };
    let decided = timeout_at(deadline, async {
        let place = app.gateway.take_in(intake).await.inspect_err(|error| app.note(error))?;
        ticket.asked_at(place.unwrap_or_default());
        app.telemetry.taken_in(1, []);
        if let (Some(mut reserved), Some(answered)) = (reserved, answered) {
            reserved.keep(answered);
        }
        if Instant::now() >= deadline {
            // Time is up already: however soon an answer comes now, it comes late.
            return std::future::pending().await;
        }
        ticket.answer().await.ok_or_else(|| Problem::from(RuntimeError::Stopped))
    })
    .await;
    let decision = match decided {
        Ok(Ok(Answer::Decided(decision))) => decision,
        Ok(Ok(Answer::Refused { code, reason })) => return Err(refusal(code, reason)),
        Ok(Err(problem)) => return Err(problem),
        Err(_) => answer_by_policy(&app, &event).await?,
    };
    app.telemetry.decided(began.elapsed(), decision.deadline_passed);
    Ok(Json(decision))
}

fn refusal(code: String, reason: String) -> Problem {
    let status = if code == "conflict" { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    Problem::coded(status, code, reason)
}

/// Time is up: the answer is by policy, and that it was given is itself a record. Where that record can no longer be
/// kept, there is no answer: nobody would hold the payment.
async fn answer_by_policy(app: &App, event: &Arc<PaymentEvent>) -> Result<Decision, Problem> {
    let (payment_id, event_id) = (event.payment_id().to_owned(), event.event_id.clone());
    let record = Control::Deadline {
        payment_id: payment_id.clone(),
        event_id: event_id.clone(),
        event: Some(Arc::clone(event)),
    };
    let durable = app
        .deadlines
        .record(record)
        .map_err(|Full| busy("too many answers by policy are not on the log yet"))?;
    // The payment service has waited long enough: a log that does not move is not waited for.
    if timeout(DEADLINE_RECORD_WAIT, durable).await.is_err() {
        tracing::error!("a deadline is not recorded yet: the log stands still, and it is tried until it is");
    }
    Ok(Decision {
        payment_id,
        event_id,
        decision: OUTCOME_ON_DEADLINE,
        alerts: vec![deadline_alert(event)],
        reasons: vec![REASON_ON_DEADLINE.to_owned()],
        deadline_passed: true,
        offset: None,
    })
}
