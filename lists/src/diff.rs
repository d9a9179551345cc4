//! What changed between two versions of a list: entries that came, went and changed, field by field.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Entry, ListVersion};

/// The difference of two versions, by id.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Diff<'a> {
    /// Entries of the later version alone.
    pub added: Vec<&'a Entry>,
    /// Entries of the earlier version alone.
    pub removed: Vec<&'a Entry>,
    /// Entries of both that differ.
    pub changed: Vec<Changed<'a>>,
}

/// An entry that stands in both versions and differs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Changed<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its primary name in the later version.
    pub name: &'a str,
    /// The fields that differ.
    pub fields: Vec<FieldChange>,
}

/// A field that differs. A field with several values names those that came and went.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FieldChange {
    /// The field's name, as in the entry's JSON.
    pub field: String,
    /// What stood there before and does not now.
    pub removed: Vec<Value>,
    /// What stands there now and did not before.
    pub added: Vec<Value>,
}

impl<'a> Diff<'a> {
    /// The difference between an earlier version and a later one.
    pub fn between(before: &'a ListVersion, after: &'a ListVersion) -> Self {
        let mut diff = Self::default();
        let (mut old, mut new) = (before.entries().iter().peekable(), after.entries().iter().peekable());
        // Both are in the order of their ids.
        loop {
            match (old.peek(), new.peek()) {
                (Some(a), Some(b)) if a.id == b.id => {
                    if a != b {
                        diff.changed.push(Changed {
                            id: &b.id,
                            name: b.primary_name(),
                            fields: fields(a, b),
                        });
                    }
                    old.next();
                    new.next();
                }
                (Some(a), Some(b)) if a.id < b.id => diff.removed.extend(old.next()),
                (Some(_), None) => diff.removed.extend(old.next()),
                (_, Some(_)) => diff.added.extend(new.next()),
                (None, None) => return diff,
            }
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// The entries of the later version that are new or changed: what a rescreening has to look at.
    pub fn to_rescreen(&self, after: &'a ListVersion) -> Vec<&'a Entry> {
        let changed = self.changed.iter().filter_map(|c| after.entry(c.id));
        self.added.iter().copied().chain(changed).collect()
    }
}

fn fields(before: &Entry, after: &Entry) -> Vec<FieldChange> {
    let (before, after) = (object(before), object(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let mut changes = Vec::new();
    for name in names {
        let (old, new) = (values(before.get(name)), values(after.get(name)));
        if old != new {
            let removed: Vec<Value> = old.iter().filter(|v| !new.contains(v)).cloned().collect();
            let added: Vec<Value> = new.iter().filter(|v| !old.contains(v)).cloned().collect();
            // The same values in another order.
            let reordered = removed.is_empty() && added.is_empty();
            let (removed, added) = if reordered { (old, new) } else { (removed, added) };
            changes.push(FieldChange { field: name.clone(), removed, added });
        }
    }
    changes
}

fn object(entry: &Entry) -> Map<String, Value> {
    match serde_json::to_value(entry) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn values(value: Option<&Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(values)) => values.clone(),
        Some(value) => vec![value.clone()],
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::EntryKind;

    use super::*;
    use crate::{Name, NameQuality};

    #[test]
    fn entries_that_came_went_and_changed() {
        let person = |id: &str| Entry::new(id, EntryKind::Person, format!("Name {id}"));
        let before = ListVersion::new("own", ["1", "2", "3"].map(person).to_vec()).unwrap();
        let mut two = person("2");
        two.names.push(Name::new("Alias", NameQuality::Weak));
        two.remarks = Some("New.".to_owned());
        let after = ListVersion::new("own", vec![two.clone(), person("3"), person("4")]).unwrap();
        let diff = Diff::between(&before, &after);
        assert_eq!(diff.added, [&person("4")]);
        assert_eq!(diff.removed, [&person("1")]);
        let fields: Vec<_> = diff.changed[0]
            .fields
            .iter()
            .map(|f| (f.field.as_str(), f.removed.len(), f.added.len()))
            .collect();
        assert_eq!(fields, [("names", 0, 1), ("remarks", 0, 1)]);
        assert_eq!(diff.to_rescreen(&after), [&person("4"), &two]);
        assert!(Diff::between(&after, &after).is_empty());
    }
}
