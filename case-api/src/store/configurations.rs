//! What is configured and less than what is in force: found by the process, approved by two persons, or taken back by
//! whoever configures. Each step is a leaf; the order goes out with the approval. And the list versions in force, whose
//! changes are leaves too.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Control, EventTime};
use sqlx::FromRow;

use super::{
    ActError, Claim, ENGINE, Entry, Page, Store, StoreError, Tx, acts::check_text, cases::stamp_or_null,
};
use crate::{
    domain::{Actor, ConfigurationAct, ConfigurationState, Refusal, next_configuration_state},
    ports::ActiveList,
    stamp::Stamp,
};

/// A configuration that is less than what is in force.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Configuration {
    /// Its place in the order of finding.
    #[serde(skip)]
    pub seq: i64,
    /// `CFG-000003`.
    pub configuration_id: String,
    /// What is configured: `screening` or `rules`.
    pub what: String,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: ConfigurationState,
    /// What would be lost.
    #[sqlx(json)]
    pub lost: Vec<String>,
    /// Whether it can be approved here. Where the configuration cannot be read there is nothing to approve, and rules are
    /// approved as rules.
    pub approvable: bool,
    #[serde(skip)]
    control: Option<String>,
    /// When it was found.
    #[sqlx(try_from = "i64")]
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
    #[sqlx(skip)]
    pub outbox: Option<i64>,
}

impl Configuration {
    /// Whether it waits for persons, or for whoever configures.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ConfigurationState::Found | ConfigurationState::Proposed)
    }
}

impl Store {
    /// Configurations that were less, newest first.
    pub async fn configurations(&self, page: Page) -> Result<(Vec<Configuration>, Option<i64>), StoreError> {
        let rows: Vec<Configuration> =
            sqlx::query_as("SELECT * FROM configurations WHERE seq < $1 ORDER BY seq DESC LIMIT $2")
                .bind(page.before())
                .bind(page.fetch())
                .fetch_all(&self.readers)
                .await?;
        Ok(page.cut(rows, |row| row.seq))
    }

    /// Write down that less is configured than is in force. Said again, it changes nothing but the order that an approval
    /// would give.
    pub async fn configuration_is_less(
        &self,
        what: &str,
        lost: &[String],
        order: Option<&Control>,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        let order = order.map(serde_json::to_string).transpose()?;
        let open = tx.open_configuration(what).await?;
        match open {
            Some(open) if open.lost == lost => {
                sqlx::query("UPDATE configurations SET control = $2, approvable = $3 WHERE seq = $1")
                    .bind(open.seq)
                    .bind(&order)
                    .bind(order.is_some())
                    .execute(tx.sql())
                    .await?;
            }
            open => {
                if let Some(open) = open {
                    tx.end_configuration(&open).await?;
                }
                let seq = tx.next("configurations").await?;
                let id = format!("CFG-{seq:06}");
                sqlx::query(
                    "INSERT INTO configurations (seq, configuration_id, what, state, lost, approvable, control, found_at)
                     VALUES ($1, $2, $3, 'found', $4, $5, $6, $7)",
                )
                .bind(seq)
                .bind(&id)
                .bind(what)
                .bind(serde_json::to_string(lost)?)
                .bind(order.is_some())
                .bind(&order)
                .bind(now.micros())
                .execute(tx.sql())
                .await?;
                let said = json!({ "what": what, "lost": lost });
                tx.configuration_leaf("configuration_less", ENGINE, &id, &said).await?;
            }
        }
        tx.commit().await
    }

    /// Write down that what is configured is not less any more.
    pub async fn configuration_is_whole(&self, what: &str, now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        match tx.open_configuration(what).await? {
            Some(open) => tx.end_configuration(&open).await?,
            None => return Ok(()),
        }
        tx.commit().await
    }

    /// Propose, approve or refuse a configuration that is less.
    pub async fn act_on_configuration(
        &self,
        id: &str,
        act: &ConfigurationAct,
        actor: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<Configuration, ActError> {
        check_text(act.reason())?;
        let mut tx = self.begin(now).await?;
        let before = tx.configuration(id).await?.ok_or(ActError::NoConfiguration)?;
        let own = before.proposed_by.as_deref() == Some(actor.name.as_str());
        let next = next_configuration_state(before.state, act, &actor.roles, own)?;
        let Some(control) = &before.control else {
            let why =
                "this cannot be approved here: mend what is configured, or propose the rules under Rules";
            return Err(Refusal::Conflict(why).into());
        };
        let control: Control = serde_json::from_str(control).map_err(StoreError::from)?;
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
        sqlx::query(text)
            .bind(id)
            .bind(next.name())
            .bind(&actor.name)
            .bind(now.micros())
            .bind(act.reason())
            .execute(tx.sql())
            .await?;
        let mut row = tx.configuration(id).await?.ok_or(ActError::NoConfiguration)?;
        let approved = next == ConfigurationState::Approved;
        let order = approved.then_some(&control);
        let said = json!({ "actor": actor, "act": act, "configuration": row, "order": order });
        tx.configuration_leaf(&format!("{}_configuration", act.name()), &actor.name, id, &said).await?;
        if let Some(order) = order {
            row.outbox = Some(tx.control(order).await?);
        }
        if let Some(claim) = claim {
            let answer = serde_json::to_vec(&row).map_err(StoreError::from)?;
            tx.keep_answer(claim, 200, "application/json", &answer).await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    /// A leaf for each list whose version in force is another one than the last time; how many.
    pub async fn record_lists(&self, lists: &[ActiveList], now: EventTime) -> Result<usize, StoreError> {
        let mut tx = self.begin(now).await?;
        let known: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT source, version, entries FROM list_versions ORDER BY source")
                .fetch_all(tx.sql())
                .await?;
        let mut changed = 0;
        for list in lists {
            let before = known.iter().find(|(source, ..)| *source == list.source);
            if before.is_some_and(|(_, version, _)| *version == list.version) {
                continue;
            }
            changed += 1;
            let entries = i64::try_from(list.entries).unwrap_or(i64::MAX);
            sqlx::query(
                "INSERT INTO list_versions (source, version, entries) VALUES ($1, $2, $3)
                 ON CONFLICT (source) DO UPDATE SET version = excluded.version, entries = excluded.entries",
            )
            .bind(&list.source)
            .bind(&list.version)
            .bind(entries)
            .execute(tx.sql())
            .await?;
            let said = json!({
                "list": list,
                "before": before.map(|(_, version, entries)| json!({ "version": version, "entries": entries })),
            });
            let by = if list.fetched { "fetcher" } else { "folder" };
            tx.configuration_leaf("list_version", by, &list.source, &said).await?;
        }
        for (source, version, entries) in &known {
            if lists.iter().all(|list| list.source != *source) {
                changed += 1;
                sqlx::query("DELETE FROM list_versions WHERE source = $1")
                    .bind(source)
                    .execute(tx.sql())
                    .await?;
                let said = json!({ "before": { "version": version, "entries": entries } });
                tx.configuration_leaf("list_ended", ENGINE, source, &said).await?;
            }
        }
        if changed > 0 {
            tx.commit().await?;
        }
        Ok(changed)
    }
}

impl Tx<'_> {
    async fn configuration(&mut self, id: &str) -> Result<Option<Configuration>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM configurations WHERE configuration_id = $1")
            .bind(id)
            .fetch_optional(self.sql())
            .await?)
    }

    /// What was found last and waits.
    async fn open_configuration(&mut self, what: &str) -> Result<Option<Configuration>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT * FROM configurations WHERE what = $1 AND state IN ('found', 'proposed') ORDER BY seq DESC LIMIT 1",
        )
        .bind(what)
        .fetch_optional(self.sql())
        .await?)
    }

    async fn end_configuration(&mut self, open: &Configuration) -> Result<(), StoreError> {
        sqlx::query("UPDATE configurations SET state = 'ended' WHERE seq = $1")
            .bind(open.seq)
            .execute(self.sql())
            .await?;
        let said = json!({ "what": open.what, "lost": open.lost });
        self.configuration_leaf("configuration_whole", ENGINE, &open.configuration_id, &said).await
    }

    async fn configuration_leaf<T: Serialize>(
        &mut self,
        act: &str,
        actor: &str,
        about: &str,
        said: &T,
    ) -> Result<(), StoreError> {
        let entry = Entry { kind: Kind::Configuration, act, actor, about, case_id: None };
        self.leaf(entry, said).await?;
        Ok(())
    }
}
