//! What is configured and less than what is in force: found by the process, approved by two persons, or taken back by
//! whoever configures. Each step is a leaf; the order goes out with the approval. And the list versions in force, whose
//! changes are leaves too.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::Control;

use super::{ActError, ENGINE, Service};
use crate::{
    domain::{Actor, ConfigurationAct, ConfigurationState, Refusal, check_text, next_configuration_state},
    ports::ActiveList,
    store::{Claim, Configuration, Entry, ListVersion, Page, StoreError, Tx},
};

impl Service {
    /// Configurations that were less, newest first.
    pub(crate) async fn configurations(
        &self,
        page: Page,
    ) -> Result<(Vec<Configuration>, Option<i64>), StoreError> {
        self.store.configurations(page).await
    }

    /// Write down that less is configured than is in force. Said again, it changes nothing but the order that an approval
    /// would give.
    pub(crate) async fn configuration_is_less(
        &self,
        what: &str,
        lost: &[String],
        order: Option<&Control>,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        match tx.open_configuration(what).await? {
            Some(open) if open.lost == lost => tx.set_configuration_order(open.seq, order).await?,
            open => {
                if let Some(open) = open {
                    end(&mut tx, &open).await?;
                }
                let id = tx.add_configuration(what, lost, order).await?;
                let said = json!({ "what": what, "lost": lost });
                leaf(&mut tx, "configuration_less", ENGINE, &id, &said).await?;
            }
        }
        tx.commit().await
    }

    /// Write down that what is configured is not less any more.
    pub(crate) async fn configuration_is_whole(&self, what: &str) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        match tx.open_configuration(what).await? {
            Some(open) => end(&mut tx, &open).await?,
            None => return Ok(()),
        }
        tx.commit().await
    }

    /// Propose, approve or refuse a configuration that is less, and see the order that it gives onto the log.
    pub(crate) async fn act_on_configuration(
        &self,
        id: &str,
        act: &ConfigurationAct,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<Configuration, ActError> {
        check_text(act.reason())?;
        let mut tx = self.store.begin(self.now()).await?;
        let before = tx.configuration(id).await?.ok_or(ActError::NoConfiguration)?;
        let own = before.proposed_by.as_deref() == Some(actor.name.as_str());
        let next = next_configuration_state(before.state, act, &actor.roles, own)?;
        let Some(control) = before.order()? else {
            let why =
                "this cannot be approved here: mend what is configured, or propose the rules under Rules";
            return Err(Refusal::Conflict(why).into());
        };
        tx.put_configuration(id, act, next, &actor.name).await?;
        let mut row = tx.configuration(id).await?.ok_or(ActError::NoConfiguration)?;
        let order = (next == ConfigurationState::Approved).then_some(&control);
        let said = json!({ "actor": actor, "act": act, "configuration": row, "order": order });
        leaf(&mut tx, &format!("{}_configuration", act.name()), &actor.name, id, &said).await?;
        row.outbox = tx.order(order).await?;
        tx.answer(claim, 200, &row).await?;
        tx.commit().await?;
        if let Some(seq) = row.outbox {
            self.see_delivered(seq).await?;
        }
        Ok(row)
    }

    /// A leaf for each list whose version in force is another one than the last time; how many.
    pub(crate) async fn record_lists(&self) -> Result<usize, StoreError> {
        let lists = self.ports.catalogue.lists();
        let mut tx = self.store.begin(self.now()).await?;
        let known = tx.list_versions().await?;
        let mut changed = 0;
        for list in &lists {
            let before = known.iter().find(|known| known.source == list.source);
            if before.is_some_and(|before| before.version == list.version) {
                continue;
            }
            changed += 1;
            tx.put_list_version(&row(list)).await?;
            let before = before.map(|of| json!({ "version": of.version, "entries": of.entries }));
            let said = json!({ "list": list, "before": before });
            let by = if list.fetched { "fetcher" } else { "folder" };
            leaf(&mut tx, "list_version", by, &list.source, &said).await?;
        }
        for of in known.iter().filter(|of| lists.iter().all(|list| list.source != of.source)) {
            changed += 1;
            tx.forget_list(&of.source).await?;
            let said = json!({ "before": { "version": of.version, "entries": of.entries } });
            leaf(&mut tx, "list_ended", ENGINE, &of.source, &said).await?;
        }
        if changed > 0 {
            tx.commit().await?;
        }
        Ok(changed)
    }
}

fn row(list: &ActiveList) -> ListVersion {
    ListVersion {
        source: list.source.clone(),
        version: list.version.clone(),
        entries: i64::try_from(list.entries).unwrap_or(i64::MAX),
    }
}

async fn end(tx: &mut Tx<'_>, open: &Configuration) -> Result<(), StoreError> {
    tx.end_configuration(open.seq).await?;
    let said = json!({ "what": open.what, "lost": open.lost });
    leaf(tx, "configuration_whole", ENGINE, &open.configuration_id, &said).await
}

async fn leaf<T: Serialize>(
    tx: &mut Tx<'_>,
    act: &str,
    actor: &str,
    about: &str,
    said: &T,
) -> Result<(), StoreError> {
    let entry = Entry { kind: Kind::Configuration, act, actor, about, case_id: None };
    tx.leaf(entry, said).await?;
    Ok(())
}
