//! Versions of the rules: each with its files, author, approver, reasons and test results. None is ever lost, and none but
//! a draft changed; only its state moves, and each move is a leaf of the evidence log.

use serde::Serialize;
use serde_json::{Value, json};
use sluice_evidence::Kind;
use sluice_model::{Control, EventTime, Hash256, RuleBundle, RuleFile};
use sluice_rules::in_shadow;
use sqlx::FromRow;

use super::{Claim, ENGINE, Entry, Page, Store, StoreError, Tx, columns::stamp_or_null};
use crate::{
    domain::{
        Actor, Candidate, TrialReport, VersionAct, VersionRefusal, VersionState, bundle_of,
        next_version_state,
    },
    limits::NOTE_CHARS_MAX,
    stamp::Stamp,
};

/// The origin of what an officer proposed.
const PROPOSAL: &str = "proposal";

/// A version of the rules, without its files.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct RuleVersion {
    /// Its place in the order of proposing.
    #[serde(skip)]
    pub seq: i64,
    /// `RV-000001`.
    pub version_id: String,
    /// The hash of what judges: every path and text, cases aside.
    pub hash: String,
    /// `proposal`; `folder` or `shipped` where it came into force without being asked for here.
    pub origin: String,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: VersionState,
    /// The version that was in force when it was proposed.
    pub base: Option<String>,
    /// Who wrote it.
    pub author: String,
    /// Why.
    pub rationale: String,
    /// What checking and testing came to.
    #[sqlx(json)]
    pub report: TrialReport,
    /// When.
    #[sqlx(try_from = "i64")]
    pub proposed_at: Stamp,
    /// Who approved or rejected it.
    pub decided_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<i64>,
    /// Why.
    pub decision: Option<String>,
    /// Who ordered it into force, the last time.
    pub ordered_by: Option<String>,
    /// Why.
    pub order_reason: Option<String>,
    /// Since when it is in force, or was the last time.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub active_at: Option<i64>,
    /// When another followed it.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retired_at: Option<i64>,
    /// The version that it followed into force: where a rollback leads.
    pub previous: Option<String>,
    /// The hash of the set by which it is judged in shadow, or will be: what is in force, and this beside it.
    pub shadow: Option<String>,
    /// Where its last order stands in the outbox.
    #[serde(skip)]
    pub control: Option<i64>,
    #[serde(skip)]
    activating: Option<i64>,
}

impl RuleVersion {
    /// The set that the engine is to judge by, where it is on its way.
    pub fn target(&self) -> &str {
        let in_shadow = self.shadow.as_deref().filter(|_| self.state == VersionState::Shadowing);
        in_shadow.unwrap_or(&self.hash)
    }

    /// Whether the engine still fills its windows, and has no order to judge by it.
    pub fn waits_for_windows(&self) -> bool {
        match self.state {
            VersionState::Preparing => true,
            VersionState::Shadowing => self.activating == Some(0),
            _ => false,
        }
    }
}

/// What an act on a version did.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct VersionActed {
    /// The version.
    pub version_id: String,
    /// The act.
    pub action: String,
    /// The version's state after it.
    pub state: VersionState,
    /// Its leaf in the evidence log.
    pub leaf: i64,
}

/// Why an act on a version was not done.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// No such version.
    #[error("there is no such version of the rules")]
    NoVersion,
    /// The domain refuses it.
    #[error(transparent)]
    Refused(#[from] VersionRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for VersionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Everything of a version but its files, which may be megabytes.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT seq, version_id, hash, origin, state, base, author, rationale, report, proposed_at, decided_by,
                    decided_at, decision, ordered_by, order_reason, active_at, retired_at, previous, control,
                    judged AS shadow, activating
             FROM rule_versions LEFT JOIN rule_shadows USING (version_id) ",
            $rest
        )
    };
}

impl Store {
    /// Versions, newest first.
    pub async fn rule_versions(&self, page: Page) -> Result<(Vec<RuleVersion>, Option<i64>), StoreError> {
        let rows = sqlx::query_as(select!("WHERE seq < $1 ORDER BY seq DESC LIMIT $2"))
            .bind(page.before())
            .bind(page.fetch())
            .fetch_all(&self.readers)
            .await?;
        Ok(page.cut(rows, |version: &RuleVersion| version.seq))
    }

    /// One version.
    pub async fn rule_version(&self, version_id: &str) -> Result<Option<RuleVersion>, StoreError> {
        Ok(sqlx::query_as(select!("WHERE version_id = $1"))
            .bind(version_id)
            .fetch_optional(&self.readers)
            .await?)
    }

    /// A version's files, cases included, by path.
    pub async fn rule_files(&self, version_id: &str) -> Result<Vec<RuleFile>, StoreError> {
        let text: Option<String> =
            sqlx::query_scalar("SELECT files FROM rule_versions WHERE version_id = $1")
                .bind(version_id)
                .fetch_optional(&self.readers)
                .await?;
        text.map_or(Ok(Vec::new()), |text| Ok(serde_json::from_str(&text)?))
    }

    /// The version in force.
    pub async fn rules_in_force(&self) -> Result<Option<RuleVersion>, StoreError> {
        Ok(sqlx::query_as(select!("WHERE state = 'ACTIVE' ORDER BY seq DESC LIMIT 1"))
            .fetch_optional(&self.readers)
            .await?)
    }

    /// The version on its way into force or into shadow.
    pub async fn rules_going_live(&self) -> Result<Option<RuleVersion>, StoreError> {
        Ok(sqlx::query_as(select!(
            "WHERE state IN ('PREPARING', 'ACTIVATING', 'SHADOWING') ORDER BY seq DESC LIMIT 1"
        ))
        .fetch_optional(&self.readers)
        .await?)
    }

    /// The version that is judged in shadow when the engine judges by this set.
    pub async fn rules_in_shadow(&self, judged: &str) -> Result<Option<RuleVersion>, StoreError> {
        Ok(sqlx::query_as(select!("WHERE judged = $1 AND state <> 'SHADOWING' LIMIT 1"))
            .bind(judged)
            .fetch_optional(&self.readers)
            .await?)
    }

    /// The hash of the newest set that came into force from this origin.
    pub async fn last_rules_from(&self, origin: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT hash FROM rule_versions WHERE origin = $1 ORDER BY seq DESC LIMIT 1")
            .bind(origin)
            .fetch_optional(&self.readers)
            .await?)
    }

    /// Keep a proposal that checks and whose cases pass, or a draft.
    pub async fn propose_rules(
        &self,
        written: Written<'_>,
        author: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<RuleVersion, StoreError> {
        let mut tx = self.begin(now).await?;
        let Written { candidate: Candidate { files, report }, state, rationale, base } = written;
        let hash = bundle_of(files).hash();
        let row = NewVersion {
            hash,
            origin: PROPOSAL,
            state,
            base,
            author: &author.name,
            rationale,
            files,
            report,
        };
        let version_id = tx.add_rule_version(row).await?;
        let about = json!({
            "actor": author, "version_id": version_id, "rules": hash.to_string(), "base": base,
            "rationale": rationale, "report": report,
        });
        tx.rules_leaf(proposing(state), &author.name, &version_id, &about).await?;
        let version = tx.rule_version(&version_id).await?.ok_or(StoreError::Corrupt("version"))?;
        tx.answer(claim, 201, &version).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// Keep what the author of a draft has written since.
    pub async fn save_draft(
        &self,
        version_id: &str,
        written: Written<'_>,
        author: &Actor,
        now: EventTime,
    ) -> Result<RuleVersion, VersionError> {
        let mut tx = self.begin(now).await?;
        let version = tx.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
        if version.state != VersionState::Draft {
            return Err(VersionRefusal::WrongState(version.state, "save").into());
        }
        if version.author != author.name {
            return Err(VersionRefusal::OthersDraft.into());
        }
        let Written { candidate: Candidate { files, report }, rationale, base, .. } = written;
        let hash = bundle_of(files).hash().to_string();
        sqlx::query(
            "UPDATE rule_versions SET hash = $2, base = $3, rationale = $4, files = $5, report = $6, proposed_at = $7
             WHERE version_id = $1",
        )
        .bind(version_id)
        .bind(&hash)
        .bind(base)
        .bind(rationale)
        .bind(serde_json::to_string(files).map_err(StoreError::from)?)
        .bind(serde_json::to_string(report).map_err(StoreError::from)?)
        .bind(now.micros())
        .execute(tx.sql())
        .await?;
        let about = json!({
            "actor": author, "version_id": version_id, "rules": hash, "base": base, "rationale": rationale,
            "report": report,
        });
        tx.rules_leaf(proposing(VersionState::Draft), &author.name, version_id, &about).await?;
        let version = tx.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
        tx.commit().await?;
        Ok(version)
    }

    /// Remember a set that is in force without having been proposed here: a folder's, or the shipped one.
    /// What was on its way into force is overtaken.
    pub async fn record_rules(
        &self,
        origin: &str,
        files: &[RuleFile],
        rules: usize,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        let hash = bundle_of(files).hash();
        let active = tx.rules_in_force().await?;
        if active.as_ref().is_some_and(|active| active.hash == hash.to_string() && active.origin == origin) {
            return Ok(());
        }
        sqlx::query(
            "UPDATE rule_versions SET state = CASE WHEN active_at IS NULL THEN 'APPROVED' ELSE 'RETIRED' END
             WHERE state IN ('PREPARING', 'ACTIVATING')",
        )
        .execute(tx.sql())
        .await?;
        let report = TrialReport { rules, ..TrialReport::default() };
        let row = NewVersion {
            hash,
            origin,
            state: VersionState::Activating,
            base: active.as_ref().map(|active| active.version_id.as_str()),
            author: origin,
            rationale: "",
            files,
            report: &report,
        };
        let version_id = tx.add_rule_version(row).await?;
        tx.put_in_force(&version_id, origin, hash).await?;
        tx.commit().await
    }

    /// Do an act on a version. `tried`: what checking and testing a draft came to, where it is submitted. With a claim,
    /// the answer is stored for its `Idempotency-Key` in the same transaction.
    pub async fn act_on_rules(
        &self,
        version_id: &str,
        act: &VersionAct,
        tried: Option<&Candidate>,
        actor: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<VersionActed, VersionError> {
        let said = act.reason().map(str::trim);
        if said.is_some_and(|said| said.is_empty() || said.chars().count() > NOTE_CHARS_MAX) {
            return Err(VersionRefusal::BadText.into());
        }
        let said = said.unwrap_or_default();
        let mut tx = self.begin(now).await?;
        let version = tx.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
        let own = version.origin == PROPOSAL && version.author == actor.name;
        let state = next_version_state(version.state, act, &actor.roles, own)?;
        match act {
            VersionAct::Activate { .. } => tx.order_into_force(&version, said, &actor.name).await?,
            VersionAct::Shadow { .. } => tx.order_into_shadow(&version).await?,
            VersionAct::Submit => {
                tx.must_follow(&version).await?;
                // What was tried is what is kept: the draft may have been saved again in between.
                let tried = tried.filter(|tried| bundle_of(&tried.files).hash().to_string() == version.hash);
                let report = &tried.ok_or(VersionRefusal::Stale)?.report;
                sqlx::query("UPDATE rule_versions SET state = $2, report = $3 WHERE version_id = $1")
                    .bind(version_id)
                    .bind(state.name())
                    .bind(serde_json::to_string(report).map_err(StoreError::from)?)
                    .execute(tx.sql())
                    .await?;
            }
            VersionAct::Approve { .. } | VersionAct::Reject { .. } => {
                if state == VersionState::Rejected && version.shadow.is_some() {
                    tx.end_shadow(&version).await?;
                }
                sqlx::query(
                    "UPDATE rule_versions SET state = $2, decided_by = $3, decided_at = $4, decision = $5
                     WHERE version_id = $1",
                )
                .bind(version_id)
                .bind(state.name())
                .bind(&actor.name)
                .bind(now.micros())
                .bind(said)
                .execute(tx.sql())
                .await?;
            }
        }
        let about = json!({
            "actor": actor, "version_id": version_id, "rules": version.hash, "act": act,
            "before": version.state, "after": state,
        });
        let leaf = tx.rules_leaf(&format!("{}_rules", act.name()), &actor.name, version_id, &about).await?;
        let acted =
            VersionActed { version_id: version_id.to_owned(), action: act.name().to_owned(), state, leaf };
        tx.answer(claim, 200, &acted).await?;
        tx.commit().await?;
        Ok(acted)
    }

    /// The engine has filled the windows of a version that is being prepared: order it to judge by it.
    pub async fn order_activation(&self, version: &RuleVersion, now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        let rules = version.target().parse().map_err(|_| StoreError::Corrupt("hash"))?;
        let control = tx.control(&Control::Activate { rules }).await?;
        let state = match version.state {
            VersionState::Shadowing => VersionState::Shadowing,
            _ => VersionState::Activating,
        };
        sqlx::query("UPDATE rule_versions SET state = $2, control = $3 WHERE version_id = $1")
            .bind(&version.version_id)
            .bind(state.name())
            .bind(control)
            .execute(tx.sql())
            .await?;
        sqlx::query("UPDATE rule_shadows SET activating = 1 WHERE version_id = $1")
            .bind(&version.version_id)
            .execute(tx.sql())
            .await?;
        tx.commit().await
    }

    /// The engine judges by a version that was on its way, in force or in shadow.
    pub async fn rules_are_live(&self, version: &RuleVersion, now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        if version.state == VersionState::Shadowing {
            tx.put_in_shadow(version).await?;
        } else {
            let hash = version.hash.parse().map_err(|_| StoreError::Corrupt("hash"))?;
            tx.put_in_force(&version.version_id, ENGINE, hash).await?;
        }
        tx.commit().await
    }
}

/// The name of proposing, by what becomes of it.
const fn proposing(state: VersionState) -> &'static str {
    match state {
        VersionState::Draft => "draft_rules",
        _ => "propose_rules",
    }
}

/// What an author has written.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    /// The set.
    pub candidate: &'a Candidate,
    /// A draft, or checked.
    pub state: VersionState,
    /// Why.
    pub rationale: &'a str,
    /// The version in force.
    pub base: Option<&'a str>,
}

/// A version about to be stored.
struct NewVersion<'a> {
    hash: Hash256,
    origin: &'a str,
    state: VersionState,
    base: Option<&'a str>,
    author: &'a str,
    rationale: &'a str,
    files: &'a [RuleFile],
    report: &'a TrialReport,
}

impl Tx<'_> {
    async fn rule_version(&mut self, version_id: &str) -> Result<Option<RuleVersion>, StoreError> {
        Ok(sqlx::query_as(select!("WHERE version_id = $1"))
            .bind(version_id)
            .fetch_optional(self.sql())
            .await?)
    }

    async fn rules_in_force(&mut self) -> Result<Option<RuleVersion>, StoreError> {
        Ok(sqlx::query_as(select!("WHERE state = 'ACTIVE' ORDER BY seq DESC LIMIT 1"))
            .fetch_optional(self.sql())
            .await?)
    }

    async fn add_rule_version(&mut self, row: NewVersion<'_>) -> Result<String, StoreError> {
        let seq = self.next("rule_versions").await?;
        let version_id = format!("RV-{seq:06}");
        sqlx::query(
            "INSERT INTO rule_versions (seq, version_id, hash, origin, state, base, author, rationale, files, report,
                                        proposed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(seq)
        .bind(&version_id)
        .bind(row.hash.to_string())
        .bind(row.origin)
        .bind(row.state.name())
        .bind(row.base)
        .bind(row.author)
        .bind(row.rationale)
        .bind(serde_json::to_string(row.files)?)
        .bind(serde_json::to_string(row.report)?)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        Ok(version_id)
    }

    /// Order a version into force: have its windows filled.
    async fn order_into_force(
        &mut self,
        version: &RuleVersion,
        reason: &str,
        by: &str,
    ) -> Result<(), VersionError> {
        if version.active_at.is_none() {
            self.must_follow(version).await?;
        }
        self.must_be_alone(version).await?;
        let bundle = self.bundle(&version.version_id).await?;
        let control = self.control(&Control::Prepare(bundle)).await?;
        sqlx::query(
            "UPDATE rule_versions SET state = 'PREPARING', ordered_by = $2, ordered_at = $3, order_reason = $4,
                                      control = $5
             WHERE version_id = $1",
        )
        .bind(&version.version_id)
        .bind(by)
        .bind(self.now.micros())
        .bind(reason)
        .bind(control)
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Order a version into shadow, beside what is in force.
    async fn order_into_shadow(&mut self, version: &RuleVersion) -> Result<(), VersionError> {
        self.must_follow(version).await?;
        self.must_be_alone(version).await?;
        let live = self.bundle_in_force().await?;
        let beside = in_shadow(&live, &self.bundle(&version.version_id).await?);
        let judged = beside.hash().to_string();
        self.control(&Control::Prepare(beside)).await?;
        sqlx::query(
            "INSERT INTO rule_shadows (version_id, judged, activating) VALUES ($1, $2, 0)
             ON CONFLICT (version_id) DO UPDATE SET judged = excluded.judged, activating = 0",
        )
        .bind(&version.version_id)
        .bind(judged)
        .execute(self.sql())
        .await?;
        sqlx::query("UPDATE rule_versions SET state = 'SHADOWING' WHERE version_id = $1")
            .bind(&version.version_id)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Judge by what is in force alone. Its windows are all filled, so the engine need not be waited for.
    async fn end_shadow(&mut self, version: &RuleVersion) -> Result<(), VersionError> {
        self.must_be_alone(version).await?;
        let live = self.bundle_in_force().await?;
        let rules = live.hash();
        self.control(&Control::Prepare(live)).await?;
        self.control(&Control::Activate { rules }).await?;
        self.forget_shadows("").await?;
        Ok(())
    }

    /// What was proposed against a set that is no longer in force would take back what came in between.
    async fn must_follow(&mut self, version: &RuleVersion) -> Result<(), VersionError> {
        let active = self.rules_in_force().await?.map(|active| active.version_id);
        if version.base == active { Ok(()) } else { Err(VersionRefusal::Stale.into()) }
    }

    /// One set is made ready at a time.
    async fn must_be_alone(&mut self, version: &RuleVersion) -> Result<(), VersionError> {
        let on_its_way: Option<String> = sqlx::query_scalar(
            "SELECT version_id FROM rule_versions
             WHERE state IN ('PREPARING', 'ACTIVATING', 'SHADOWING') AND version_id <> $1",
        )
        .bind(&version.version_id)
        .fetch_optional(self.sql())
        .await?;
        on_its_way.map_or(Ok(()), |other| Err(VersionRefusal::Busy(other).into()))
    }

    /// What judges of a version.
    async fn bundle(&mut self, version_id: &str) -> Result<RuleBundle, StoreError> {
        let files: String = sqlx::query_scalar("SELECT files FROM rule_versions WHERE version_id = $1")
            .bind(version_id)
            .fetch_one(self.sql())
            .await?;
        Ok(bundle_of(&serde_json::from_str::<Vec<RuleFile>>(&files)?))
    }

    async fn bundle_in_force(&mut self) -> Result<RuleBundle, StoreError> {
        match self.rules_in_force().await? {
            Some(active) => self.bundle(&active.version_id).await,
            None => Ok(RuleBundle::default()),
        }
    }

    /// The engine judges a version in shadow from here on, and no other.
    async fn put_in_shadow(&mut self, version: &RuleVersion) -> Result<(), StoreError> {
        self.forget_shadows(&version.version_id).await?;
        sqlx::query("UPDATE rule_versions SET state = 'SHADOW' WHERE version_id = $1")
            .bind(&version.version_id)
            .execute(self.sql())
            .await?;
        let about =
            json!({ "version_id": version.version_id, "rules": version.hash, "judged": version.shadow });
        self.rules_leaf("rules_in_shadow", ENGINE, &version.version_id, &about).await?;
        Ok(())
    }

    /// No version but this one is in shadow, or on its way there.
    async fn forget_shadows(&mut self, but: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE rule_versions SET state = 'CHECKED' WHERE state IN ('SHADOWING', 'SHADOW') AND version_id <> $1",
        )
        .bind(but)
        .execute(self.sql())
        .await?;
        sqlx::query("DELETE FROM rule_shadows WHERE version_id <> $1").bind(but).execute(self.sql()).await?;
        Ok(())
    }

    /// Payments are judged by this version from here on. One that was in force before keeps what it had followed, so
    /// that rolling back twice goes further back.
    async fn put_in_force(&mut self, version_id: &str, by: &str, hash: Hash256) -> Result<(), StoreError> {
        let before = self.rules_in_force().await?.map(|active| active.version_id);
        self.forget_shadows("").await?;
        sqlx::query("UPDATE rule_versions SET state = 'RETIRED', retired_at = $1 WHERE state = 'ACTIVE'")
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        sqlx::query(
            "UPDATE rule_versions SET state = 'ACTIVE', retired_at = NULL,
                    previous = CASE WHEN active_at IS NULL THEN $3 ELSE previous END, active_at = $2
             WHERE version_id = $1",
        )
        .bind(version_id)
        .bind(self.now.micros())
        .bind(&before)
        .execute(self.sql())
        .await?;
        let about = json!({ "version_id": version_id, "rules": hash.to_string(), "before": before });
        self.rules_leaf("rules_in_force", by, version_id, &about).await?;
        Ok(())
    }

    pub(super) async fn rules_leaf(
        &mut self,
        act: &str,
        actor: &str,
        version_id: &str,
        body: &Value,
    ) -> Result<i64, StoreError> {
        let entry = Entry { kind: Kind::Configuration, act, actor, about: version_id, case_id: None };
        self.leaf(entry, body).await
    }
}
