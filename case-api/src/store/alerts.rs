//! Alerts as consumed: immutable, each with its case.

use serde::Serialize;
use sluice_model::{Alert, EventTime, PaymentEvent, Span};
use sqlx::FromRow;

use super::{Page, Store, StoreError, Tx, cases::states, sql::query};
use crate::words;

/// An alert with the case that it opened or joined. JSON: the alert's own fields, and `case_id`.
#[derive(Clone, Debug, Serialize)]
pub struct StoredAlert {
    /// Its place in the order of recording.
    #[serde(skip)]
    pub seq: i64,
    /// The alert.
    #[serde(flatten)]
    pub alert: Alert,
    /// Its case.
    pub case_id: String,
    /// The event that was judged, where it was at hand.
    #[serde(skip)]
    pub event: Option<PaymentEvent>,
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    body: String,
    case_id: String,
    event: Option<String>,
}

impl TryFrom<Row> for StoredAlert {
    type Error = serde_json::Error;

    fn try_from(row: Row) -> Result<Self, serde_json::Error> {
        Ok(Self {
            seq: row.seq,
            alert: serde_json::from_str(&row.body)?,
            case_id: row.case_id,
            event: row.event.as_deref().map(serde_json::from_str).transpose()?,
        })
    }
}

/// Which alerts to list.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Only of this severity.
    pub severity: Option<String>,
    /// Only of this rule.
    pub rule: Option<String>,
    /// Only of cases in this state; `open` for every state but `CLOSED`.
    pub state: Option<String>,
    /// Only of this case.
    pub case_id: Option<String>,
    /// Only about this subject.
    pub subject: Option<String>,
    /// Only of this payment.
    pub payment_id: Option<String>,
}

/// Alerts of one severity in one hour.
#[derive(Clone, Debug, FromRow)]
pub struct HourCount {
    /// The hour's start, in hours since 1970.
    pub hour: i64,
    /// The severity.
    pub severity: String,
    /// How many.
    pub alerts: i64,
}

impl Store {
    /// Whether an alert is in a case.
    pub(crate) async fn has_alert(&self, alert_id: &str) -> Result<bool, StoreError> {
        let known: i64 = query("SELECT COUNT(*) FROM alerts WHERE alert_id = $1")
            .bind(alert_id)
            .value(&mut self.read().await?)
            .await?;
        Ok(known > 0)
    }

    /// Alerts, newest first.
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        page: Page,
    ) -> Result<(Vec<StoredAlert>, Option<i64>), StoreError> {
        let (state, but) = states(filter.state.as_deref());
        let rows: Vec<Row> = query(
            "SELECT a.seq, a.body, a.case_id, a.event
             FROM alerts a JOIN cases c ON c.case_id = a.case_id
             WHERE a.seq < $1 AND ($2 IS NULL OR a.severity = $2) AND ($3 IS NULL OR a.rule_id = $3)
               AND ($4 IS NULL OR c.state = $4) AND ($9 IS NULL OR c.state <> $9)
               AND ($5 IS NULL OR a.case_id = $5) AND ($6 IS NULL OR a.subject = $6)
               AND ($7 IS NULL OR a.payment_id = $7)
             ORDER BY a.seq DESC LIMIT $8",
        )
        .bind(page.before())
        .bind(&filter.severity)
        .bind(&filter.rule)
        .bind(state)
        .bind(&filter.case_id)
        .bind(&filter.subject)
        .bind(&filter.payment_id)
        .bind(page.fetch())
        .bind(but)
        .fetch_all(&mut self.read().await?)
        .await?;
        let (rows, next) = page.cut(rows, |row| row.seq);
        let alerts = rows.into_iter().map(StoredAlert::try_from).collect::<Result<_, _>>()?;
        Ok((alerts, next))
    }

    /// One alert.
    pub async fn alert(&self, alert_id: &str) -> Result<Option<StoredAlert>, StoreError> {
        let row: Option<Row> = query(
            "SELECT a.seq, a.body, a.case_id, a.event
             FROM alerts a JOIN cases c ON c.case_id = a.case_id WHERE a.alert_id = $1",
        )
        .bind(alert_id)
        .fetch_optional(&mut self.read().await?)
        .await?;
        Ok(row.map(StoredAlert::try_from).transpose()?)
    }

    /// The rules that ever alerted, for filters.
    pub async fn alerting_rules(&self) -> Result<Vec<String>, StoreError> {
        Ok(query("SELECT DISTINCT rule_id FROM alerts ORDER BY rule_id")
            .values(&mut self.read().await?)
            .await?)
    }

    /// Alerts recorded in each hour since a moment, by severity.
    pub async fn alerts_by_hour(&self, since: EventTime) -> Result<Vec<HourCount>, StoreError> {
        Ok(query(
            "SELECT recorded_at / $2 AS hour, severity, COUNT(*) AS alerts FROM alerts
             WHERE recorded_at >= $1 GROUP BY recorded_at / $2, severity ORDER BY 1",
        )
        .bind(since.micros())
        .bind(Span::hours(1).micros())
        .fetch_all(&mut self.read().await?)
        .await?)
    }
}

impl Tx<'_> {
    /// Whether an alert is recorded.
    pub(crate) async fn knows_alert(&mut self, alert_id: &str) -> Result<bool, StoreError> {
        let known: i64 =
            query("SELECT COUNT(*) FROM alerts WHERE alert_id = $1").bind(alert_id).value(self.sql()).await?;
        Ok(known > 0)
    }

    /// The case of an alert.
    pub(crate) async fn case_of_alert(&mut self, alert_id: &str) -> Result<Option<String>, StoreError> {
        Ok(query("SELECT case_id FROM alerts WHERE alert_id = $1")
            .bind(alert_id)
            .value_or_none(self.sql())
            .await?)
    }

    /// Keep an alert in its case. `subject`: the first that it is about.
    pub(crate) async fn add_alert(
        &mut self,
        case_id: &str,
        alert: &Alert,
        event: Option<&PaymentEvent>,
        subject: &str,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO alerts (alert_id, case_id, rule_id, typology, severity, action, subject, event_id,
                                 payment_id, occurred_at, recorded_at, body, event)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(alert.alert_id.to_string())
        .bind(case_id)
        .bind(&alert.rule_id)
        .bind(&alert.typology)
        .bind(words::severity(alert.severity))
        .bind(words::action(alert.action))
        .bind(subject)
        .bind(&alert.event_id)
        .bind(&alert.payment_id)
        .bind(alert.occurred_at.micros())
        .bind(self.now.micros())
        .bind(serde_json::to_string(alert)?)
        .bind(event.map(serde_json::to_string).transpose()?)
        .execute(self.sql())
        .await?;
        Ok(())
    }
}

/// The alert's contract, field by field, for the OpenAPI document.
impl utoipa::PartialSchema for StoredAlert {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{
            Object, ObjectBuilder,
            schema::{ArrayBuilder, Type},
        };
        let text = || Object::with_type(Type::String);
        let object = || Object::with_type(Type::Object);
        let mut schema = ObjectBuilder::new();
        for field in [
            "alert_id",
            "rule_id",
            "rule_version",
            "typology",
            "event_id",
            "payment_id",
            "occurred_at",
            "severity",
            "action",
            "reason",
            "case_id",
        ] {
            schema = schema.property(field, text()).required(field);
        }
        for field in ["key", "windows", "cause", "versions"] {
            schema = schema.property(field, object()).required(field);
        }
        schema
            .property("failed_by", text())
            .property("subjects", ArrayBuilder::new().items(text()))
            .required("subjects")
            .property("matches", ArrayBuilder::new().items(object()))
            .required("matches")
            .into()
    }
}

impl utoipa::ToSchema for StoredAlert {
    fn name() -> std::borrow::Cow<'static, str> {
        "Alert".into()
    }
}
