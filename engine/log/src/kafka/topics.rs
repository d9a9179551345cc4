//! The topics that a deployment has: what they must be, what they are, and what is to be done about it.

use std::{
    collections::BTreeMap,
    fmt, thread,
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication},
    consumer::{BaseConsumer, Consumer},
    error::RDKafkaErrorCode,
};
use sluice_model::Topic;

use crate::{
    LogError,
    kafka::{
        error::{explained, unanswered},
        options::{KafkaOptions, Logged, MESSAGE_BYTES_MAX},
    },
};

/// How long what is only on its way is kept: longer than any stage stands still.
const ON_ITS_WAY_DAYS: u64 = 14;
/// How long answers to requests are kept: longer than a client asks again.
const ANSWERS_DAYS: u64 = 3;

/// How long to wait before the brokers are asked again whether topics are there.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The group of the client that asks. Nothing is committed in it.
const GROUP: &str = "sluice.topics";

/// What is chosen about the topics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TopicLayout {
    /// Into how many partitions payments, keyed events and verdicts are divided. It is not changed later: a payment, a key
    /// and all that is remembered of them stay on their partition.
    pub partitions: u32,
    /// On how many brokers each partition is.
    pub replication: u32,
}

/// What must be so of one topic.
struct Wanted {
    topic: Topic,
    partitions: u32,
    settings: BTreeMap<&'static str, String>,
}

/// What is to be done about one topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// There is none.
    Create {
        /// Its name.
        topic: String,
        /// Into how many partitions it is divided.
        partitions: u32,
        /// On how many brokers each is.
        replication: u32,
        /// How it is kept.
        settings: BTreeMap<&'static str, String>,
    },
    /// It is kept in another way.
    Set {
        /// Its name.
        topic: String,
        /// What differs: the name, what it is, what it must be.
        settings: BTreeMap<&'static str, (String, String)>,
    },
    /// It is divided otherwise. Nobody but a person can mend that: records would be where nobody looks for them.
    Divided {
        /// Its name.
        topic: String,
        /// Into how many partitions it is divided.
        found: u32,
        /// Into how many it must be.
        wanted: u32,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { topic, partitions, replication, settings } => {
                write!(f, "create {topic} with {partitions} partitions on {replication} brokers each")?;
                settings.iter().try_for_each(|(name, value)| write!(f, ", {name}={value}"))
            }
            Self::Set { topic, settings } => {
                write!(f, "set of {topic}")?;
                let mut settings = settings.iter();
                settings.try_for_each(|(name, (is, must))| write!(f, " {name} from {is} to {must}"))
            }
            Self::Divided { topic, found, wanted } => write!(
                f,
                "{topic} has {found} partitions where {wanted} are wanted: it cannot be divided anew; name the number that \
                 it has, or begin in another namespace"
            ),
        }
    }
}

/// The topics of an installation.
pub struct Topics {
    options: KafkaOptions,
    admin: AdminClient<Logged>,
    /// Asks what there is.
    asked: BaseConsumer<Logged>,
}

impl Topics {
    /// Ask these brokers.
    pub fn new(options: &KafkaOptions) -> Result<Self, LogError> {
        let admin = options.create(options.client(), |config| config.create_with_context(Logged))?;
        Ok(Self { options: options.clone(), admin, asked: options.consumer(GROUP)? })
    }

    /// What is to be done so that the topics are as they must be; nothing where they are.
    pub fn plan(&self, layout: TopicLayout) -> Result<Vec<Change>, LogError> {
        let partitions = self.partitions()?;
        let mut changes = Vec::new();
        for wanted in wanted(layout) {
            let topic = self.options.topic(wanted.topic);
            match partitions.get(&wanted.topic) {
                None => changes.push(Change::Create {
                    topic,
                    partitions: wanted.partitions,
                    replication: layout.replication,
                    settings: wanted.settings,
                }),
                Some(found) if *found != wanted.partitions => {
                    changes.push(Change::Divided { topic, found: *found, wanted: wanted.partitions });
                }
                Some(_) => changes.extend(self.settings(topic, &wanted.settings)?),
            }
        }
        Ok(changes)
    }

    /// Do what is to be done. What nobody but a person can mend is refused before anything is done.
    pub fn apply(&self, changes: &[Change]) -> Result<(), LogError> {
        if let Some(divided) = changes.iter().find(|change| matches!(change, Change::Divided { .. })) {
            return Err(LogError::Topics { what: divided.to_string() });
        }
        changes.iter().try_for_each(|change| self.carry_out(change))?;
        self.wait(changes)
    }

    /// Wait until every broker that is asked knows of the topics that were created.
    fn wait(&self, changes: &[Change]) -> Result<(), LogError> {
        let created = |change: &Change| matches!(change, Change::Create { .. });
        let created = changes.iter().filter(|change| created(change)).count();
        let began = Instant::now();
        while created > 0 && self.partitions()?.len() < created {
            if began.elapsed() > self.options.answer_within {
                return Err(unanswered(&self.options.brokers, "topics that were created are not there yet"));
            }
            thread::sleep(ASK_AGAIN_AFTER);
        }
        Ok(())
    }

    /// Into how many partitions payments are divided, where all topics are there and fit each other.
    pub fn check(&self) -> Result<u32, LogError> {
        let partitions = self.partitions()?;
        let of = |topic: Topic| {
            let missing =
                || LogError::Topics { what: format!("there is no topic {}", self.options.topic(topic)) };
            partitions.get(&topic).copied().ok_or_else(missing)
        };
        let payments = of(Topic::Payments)?;
        let layout = TopicLayout { partitions: payments, replication: 1 };
        for Wanted { topic, partitions: wanted, .. } in wanted(layout) {
            let found = of(topic)?;
            if found != wanted {
                let divided = Change::Divided { topic: self.options.topic(topic), found, wanted };
                return Err(LogError::Topics { what: divided.to_string() });
            }
        }
        Ok(payments)
    }

    /// The partitions of those topics that there are.
    fn partitions(&self) -> Result<BTreeMap<Topic, u32>, LogError> {
        let answer = self.asked.fetch_metadata(None, self.options.answer_within);
        let metadata = answer.map_err(|error| explained(&self.asked, &self.options.brokers, &error))?;
        let found: BTreeMap<&str, usize> =
            metadata.topics().iter().map(|topic| (topic.name(), topic.partitions().len())).collect();
        let of = |topic: Topic| {
            let partitions = found.get(self.options.topic(topic).as_str())?;
            Some((topic, u32::try_from(*partitions).unwrap_or(u32::MAX)))
        };
        Ok(Topic::ALL.into_iter().filter_map(of).collect())
    }

    fn limits(&self) -> AdminOptions {
        let within = Some(self.options.answer_within);
        AdminOptions::new().request_timeout(within).operation_timeout(within)
    }

    /// What differs in how a topic is kept.
    fn settings(
        &self,
        topic: String,
        wanted: &BTreeMap<&'static str, String>,
    ) -> Result<Option<Change>, LogError> {
        let (resource, limits) = (ResourceSpecifier::Topic(&topic), self.limits());
        let asked = self.admin.describe_configs([&resource], &limits);
        let failed = |error: &dyn ToString| unanswered(&self.options.brokers, error.to_string());
        let answer = pollster::block_on(asked).map_err(|error| failed(&error))?;
        let Some(found) = answer.into_iter().next() else { return Ok(None) };
        let found = found.map_err(|error| failed(&error))?;
        let differs = |(name, must): (&&'static str, &String)| {
            let is = found.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
            (is != *must).then(|| (*name, (is, must.clone())))
        };
        let settings: BTreeMap<_, _> = wanted.iter().filter_map(differs).collect();
        Ok((!settings.is_empty()).then_some(Change::Set { topic, settings }))
    }

    fn carry_out(&self, change: &Change) -> Result<(), LogError> {
        let failed = |error: &dyn ToString| unanswered(&self.options.brokers, error.to_string());
        let done = match change {
            Change::Create { topic, partitions, replication, settings } => {
                let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
                let mut new =
                    NewTopic::new(topic, count(*partitions), TopicReplication::Fixed(count(*replication)));
                for (name, value) in settings {
                    new = new.set(name, value);
                }
                pollster::block_on(self.admin.create_topics([&new], &self.limits()))
                    .map_err(|error| failed(&error))?
                    .into_iter()
                    .next()
                    .map(|result| match result {
                        // Somebody else was quicker.
                        Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => Ok(()),
                        result => result.map(drop).map_err(|(_, error)| error),
                    })
            }
            Change::Set { topic, settings } => {
                let mut alter = AlterConfig::new(ResourceSpecifier::Topic(topic));
                for (name, (_, value)) in settings {
                    alter = alter.set(name, value);
                }
                pollster::block_on(self.admin.alter_configs([&alter], &self.limits()))
                    .map_err(|error| failed(&error))?
                    .into_iter()
                    .next()
                    .map(|result| result.map(drop).map_err(|(_, error)| error))
            }
            Change::Divided { .. } => None,
        };
        done.unwrap_or(Ok(())).map_err(|error| LogError::Topics { what: format!("{change}: {error}") })
    }
}

/// Every topic as it must be.
fn wanted(layout: TopicLayout) -> impl Iterator<Item = Wanted> {
    let in_sync = layout.replication.saturating_sub(1).clamp(1, 2);
    Topic::ALL.into_iter().map(move |topic| {
        let (partitions, keep_days) = match topic {
            // Windows grow from these, and evidence is checked against them.
            Topic::Payments | Topic::Keyed => (layout.partitions, None),
            Topic::Verdicts => (layout.partitions, Some(ON_ITS_WAY_DAYS)),
            Topic::Decisions => (1, Some(ON_ITS_WAY_DAYS)),
            Topic::Requests => (1, Some(ANSWERS_DAYS)),
            Topic::Alerts | Topic::Observations | Topic::Holds | Topic::Control | Topic::DeadLetters => {
                (1, None)
            }
        };
        let retention = keep_days.map_or("-1".to_owned(), |days| (days * 24 * 60 * 60 * 1_000).to_string());
        let settings = BTreeMap::from([
            ("cleanup.policy", "delete".to_owned()),
            ("retention.ms", retention),
            ("retention.bytes", "-1".to_owned()),
            ("min.insync.replicas", in_sync.to_string()),
            ("max.message.bytes", MESSAGE_BYTES_MAX.to_string()),
        ]);
        Wanted { topic, partitions, settings }
    })
}
