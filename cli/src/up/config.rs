//! What is to be put in force, and where it comes from.

use std::sync::Arc;

use anyhow::Context;
use sluice_codec::Zone;
use sluice_core::Library;
use sluice_http::metrics::Registry;
use sluice_list_store::Store;
use sluice_runtime::{RuleFiles, RuleFolder, Webhooks};

use super::{Service, demo, lists_in_force::Lists, room::Room, rules_in_force::Rules, shipped, user};
use crate::{data, failure::Failure, folders, private};

/// What is to be put in force, and where it comes from.
pub(super) struct Config {
    pub rules: Rules,
    pub lists: Arc<Lists>,
    pub library: Arc<dyn Library>,
    pub accept_clock: bool,
    pub webhooks: Webhooks,
    pub zone: Zone,
    pub room: Room,
}

impl Config {
    /// Read and check everything before anything is started: what is broken is the user's to mend.
    pub(super) fn read(service: &Service<'_>, registry: &Registry) -> Result<Self, Failure> {
        let (args, data) = (service.args, &*service.data);
        let (files, folder) = match &args.rules {
            Some(folder) => {
                let (folder, files) = RuleFolder::open(folder.clone()).map_err(user)?;
                (files, Some(folder))
            }
            None => (RuleFiles { bundle: shipped::rules(), cases: shipped::cases() }, None),
        };
        folders::check_rules(&files.bundle)?;
        let env = |name: &str| std::env::var(name).ok();
        let webhooks = args.webhooks.as_deref().map(|folder| Webhooks::read(folder, env));
        let webhooks = webhooks.transpose().map_err(user)?.unwrap_or_default();
        let made = std::fs::create_dir_all(data).and_then(|()| private::narrow(data, data::is_ours));
        made.with_context(|| data.display().to_string()).map_err(Failure::User)?;
        let room = Room::look(data)?;
        let lists = match (&args.lists, service.demo) {
            (Some(folder), _) => Some(Store::open(folder).map_err(user)?),
            (None, true) => Some(demo::lists(&data.join(data::DEMO_LISTS))?),
            (None, false) => None,
        };
        let lists = Lists::new(lists, data, (args.list_age_max.0, args.unnamed), registry)?;
        let library = Arc::new(lists.library());
        let watched = service.watch_rules || service.demo;
        let rules = Rules { files, folder, watched };
        Ok(Self {
            rules,
            lists: Arc::new(lists),
            library,
            accept_clock: args.accept_clock,
            webhooks,
            zone: args.zone.clone(),
            room,
        })
    }
}
