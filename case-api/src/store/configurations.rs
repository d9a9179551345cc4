//! The rows of configurations that are less than what is in force.

use serde::Serialize;
use sluice_model::Control;
use sqlx::{FromRow, Row};

use super::{
    Page, Store, StoreError, Tx,
    columns::{Columns, stamp_or_null},
    sql::query,
};
use crate::{
    domain::{ConfigurationAct, ConfigurationState},
    stamp::Stamp,
};

/// A configuration that is less than what is in force.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Configuration {
    /// Its place in the order of finding.
    #[serde(skip)]
    pub seq: i64,
    /// `CFG-000003`.
    pub configuration_id: String,
    /// What is configured: `screening` or `rules`.
    pub what: String,
    /// Where it stands.
    pub state: ConfigurationState,
    /// What would be lost.
    pub lost: Vec<String>,
    /// Whether it can be approved here. Where the configuration cannot be read there is nothing to approve, and rules are
    /// approved as rules.
    pub approvable: bool,
    #[serde(skip)]
    control: Option<String>,
    /// When it was found.
    pub found_at: Stamp,
    /// Who proposed to take it.
    pub proposed_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub proposed_at: Option<i64>,
    /// Why.
    pub proposal: Option<String>,
    /// Who approved or refused it: another person.
    pub decided_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<i64>,
    /// Why.
    pub decision: Option<String>,
    /// The control record's place in the outbox.
    #[serde(skip)]
    pub outbox: Option<i64>,
}

impl<'r, R: Row + Columns> FromRow<'r, R> for Configuration {
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.int("seq")?,
            configuration_id: row.text("configuration_id")?,
            what: row.text("what")?,
            state: row.named("state", ConfigurationState::from_name)?,
            lost: row.json("lost")?,
            approvable: row.flag("approvable")?,
            control: row.text_or_none("control")?,
            found_at: row.moment("found_at")?,
            proposed_by: row.text_or_none("proposed_by")?,
            proposed_at: row.int_or_none("proposed_at")?,
            proposal: row.text_or_none("proposal")?,
            decided_by: row.text_or_none("decided_by")?,
            decided_at: row.int_or_none("decided_at")?,
            decision: row.text_or_none("decision")?,
            outbox: None,
        })
    }
}

impl Configuration {
    /// Whether it waits for persons, or for whoever configures.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ConfigurationState::Found | ConfigurationState::Proposed)
    }
}

impl Configuration {
    /// What an approval orders; none where there is nothing to approve.
    pub(crate) fn order(&self) -> Result<Option<Control>, StoreError> {
        Ok(self.control.as_deref().map(serde_json::from_str).transpose()?)
    }
}

impl Store {
    /// Configurations that were less, newest first.
    pub async fn configurations(&self, page: Page) -> Result<(Vec<Configuration>, Option<i64>), StoreError> {
        let rows: Vec<Configuration> =
            query("SELECT * FROM configurations WHERE seq < $1 ORDER BY seq DESC LIMIT $2")
                .bind(page.before())
                .bind(page.fetch())
                .fetch_all(&mut self.read().await?)
                .await?;
        Ok(page.cut(rows, |row| row.seq))
    }
}

impl Tx<'_> {
    /// One configuration.
    pub(crate) async fn configuration(&mut self, id: &str) -> Result<Option<Configuration>, StoreError> {
        Ok(query("SELECT * FROM configurations WHERE configuration_id = $1")
            .bind(id)
            .fetch_optional(self.sql())
            .await?)
    }

    /// What was found last and waits.
    pub(crate) async fn open_configuration(
        &mut self,
        what: &str,
    ) -> Result<Option<Configuration>, StoreError> {
        Ok(query(
            "SELECT * FROM configurations WHERE what = $1 AND state IN ($2, $3) ORDER BY seq DESC LIMIT 1",
        )
        .bind(what)
        .bind(ConfigurationState::Found.name())
        .bind(ConfigurationState::Proposed.name())
        .fetch_optional(self.sql())
        .await?)
    }

    /// Write that less is configured than is in force, and what an approval would order; its id.
    pub(crate) async fn add_configuration(
        &mut self,
        what: &str,
        lost: &[String],
        order: Option<&Control>,
    ) -> Result<String, StoreError> {
        Ok(query(
            "INSERT INTO configurations (what, state, lost, approvable, control, found_at)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING configuration_id",
        )
        .bind(what)
        .bind(ConfigurationState::Found.name())
        .bind(serde_json::to_string(lost)?)
        .bind(order.is_some())
        .bind(order.map(serde_json::to_string).transpose()?)
        .bind(self.now.micros())
        .value(self.sql())
        .await?)
    }

    /// Change what an approval would order.
    pub(crate) async fn set_configuration_order(
        &mut self,
        seq: i64,
        order: Option<&Control>,
    ) -> Result<(), StoreError> {
        query("UPDATE configurations SET control = $2, approvable = $3 WHERE seq = $1")
            .bind(seq)
            .bind(order.map(serde_json::to_string).transpose()?)
            .bind(order.is_some())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Write what became of a configuration, and who decided it.
    pub(crate) async fn put_configuration(
        &mut self,
        id: &str,
        act: &ConfigurationAct,
        next: ConfigurationState,
        by: &str,
    ) -> Result<(), StoreError> {
        let text = match act {
            ConfigurationAct::Propose { .. } => {
                "UPDATE configurations SET state = $2, proposed_by = $3, proposed_at = $4, proposal = $5,
                                           decided_by = NULL, decided_at = NULL, decision = NULL
                 WHERE configuration_id = $1"
            }
            _ => {
                "UPDATE configurations SET state = $2, decided_by = $3, decided_at = $4, decision = $5
                 WHERE configuration_id = $1"
            }
        };
        query(text)
            .bind(id)
            .bind(next.name())
            .bind(by)
            .bind(self.now.micros())
            .bind(act.reason())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// It is not less any more.
    pub(crate) async fn end_configuration(&mut self, seq: i64) -> Result<(), StoreError> {
        query("UPDATE configurations SET state = $2 WHERE seq = $1")
            .bind(seq)
            .bind(ConfigurationState::Ended.name())
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
