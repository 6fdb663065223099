//! DynamoDB's bound on what one key takes, where it is switched on: writes to a key beyond it are throttled (AWS: "Designing
//! partition keys to distribute your workload").

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the bound is, and what each key has taken since it was set.
#[derive(Clone, Default)]
pub struct Partitions(Arc<Mutex<Option<Watch>>>);

struct Watch {
    bound: Bound,
    keys: HashMap<Name, Key>,
}

/// A table, and a partition key of it.
type Name = (String, String);

struct Key {
    /// Units that it would take at once, and when that was so.
    left: f64,
    at: Instant,
    taken: f64,
    throttled: usize,
}

/// Write units a second that one key takes.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    pub wru_per_second: f64,
    /// The one kind of keys that is bound. Without it every kind is.
    pub kind: Option<String>,
}

/// Keys that someone asks about: all, or one.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub key: Option<String>,
}

/// What the keys of a kind have taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// The first word of their partition key.
    pub kind: String,
    /// Of the hottest of them.
    pub wru: f64,
    /// Of all of them.
    pub all_wru: f64,
    /// How often one of them was throttled.
    pub throttled: usize,
}

impl Partitions {
    /// Sets the bound and forgets what was taken.
    pub fn set(&self, bound: Bound) {
        let watch = Watch { bound, keys: HashMap::new() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
    }

    /// Whether the keys that a request writes to take a write yet.
    pub fn admit(&self, request: &Value) -> bool {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watch) = watch.as_mut() else { return true };
        let Watch { bound: Bound { wru_per_second, kind }, keys } = watch;
        let mut admitted = true;
        for name in written(request) {
            let is_bound = kind.as_deref().is_none_or(|bound| bound == kind_of(&name));
            let now = Instant::now();
            let fresh = Key { left: *wru_per_second, at: now, taken: 0.0, throttled: 0 };
            let key = keys.entry(name).or_insert(fresh);
            let grown = key.left + now.duration_since(key.at).as_secs_f64() * *wru_per_second;
            (key.left, key.at) = (grown.min(*wru_per_second), now);
            if is_bound && key.left <= 0.0 {
                key.throttled += 1;
                admitted = false;
            }
        }
        admitted
    }

    /// Writes down what a request took, in equal parts of the keys that it wrote to.
    pub fn took(&self, request: &Value, wru: f64) {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watch) = watch.as_mut() else { return };
        let names = written(request);
        let part = wru / names.len().max(1) as f64;
        for name in names {
            if let Some(key) = watch.keys.get_mut(&name) {
                key.left -= part;
                key.taken += part;
            }
        }
    }

    /// What was taken, by kind, that with the hottest key first.
    pub fn taken(&self, asked: &Asked) -> Vec<Taken> {
        let watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kinds: BTreeMap<&str, Taken> = BTreeMap::new();
        for (name, key) in watch.iter().flat_map(|watch| &watch.keys) {
            if asked.key.as_ref().is_some_and(|asked| *asked != name.1) {
                continue;
            }
            let kind = kind_of(name);
            let nothing = || Taken { kind: kind.to_owned(), wru: 0.0, all_wru: 0.0, throttled: 0 };
            let taken = kinds.entry(kind).or_insert_with(nothing);
            taken.wru = taken.wru.max(key.taken);
            taken.all_wru += key.taken;
            taken.throttled += key.throttled;
        }
        let mut taken: Vec<_> = kinds.into_values().collect();
        taken.sort_by(|one, other| other.wru.total_cmp(&one.wru));
        taken
    }
}

fn kind_of((_, partition): &Name) -> &str {
    partition.split('#').next().unwrap_or_default()
}

/// The partitions of the items that a request writes.
fn written(request: &Value) -> Vec<Name> {
    let of = |table: &str, action: &Value| {
        let places = [&action["Key"]["pk"]["S"], &action["Item"]["pk"]["S"]];
        let partition = places.into_iter().find_map(Value::as_str)?;
        Some((table.to_owned(), partition.to_owned()))
    };
    let itself = |action: &Value| of(action["TableName"].as_str().unwrap_or_default(), action);
    let items = request["TransactItems"].as_array().into_iter().flatten();
    let actions = items.filter_map(Value::as_object).flatten().filter_map(|(_, action)| itself(action));
    let batches = request["RequestItems"].as_object().into_iter().flatten().flat_map(|(table, batch)| {
        let writes = batch.as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
        writes.filter_map(move |(_, action)| of(table, action))
    });
    itself(request).into_iter().chain(actions).chain(batches).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_takes_as_much_as_its_bound_and_others_are_not_held_up() {
        let partitions = Partitions::default();
        let write = |key: &str| json!({ "TableName": "users", "Key": { "pk": { "S": key }, "sk": { "S": "x" } } });
        assert!(partitions.admit(&write("USER#1")), "without a bound everything is let through");
        partitions.set(Bound { wru_per_second: 0.001, kind: None });
        assert!(partitions.admit(&write("USER#1")));
        partitions.took(&write("USER#1"), 1.0);
        assert!(!partitions.admit(&write("USER#1")));
        assert!(partitions.admit(&write("USER#2")));
        let put = |table: &str| json!({ "TableName": table, "Item": { "pk": { "S": "USER#1" } } });
        assert!(!partitions.admit(&json!({ "TransactItems": [{ "Put": put("users") }] })));
        assert!(partitions.admit(&put("tokens")), "a table's keys are its own");
        assert!(!partitions.admit(&json!({ "RequestItems": { "users": [{ "PutRequest": put("users") }] } })));
        partitions.took(&write("USER#2"), 0.5);
        let taken = partitions.taken(&Asked::default());
        assert_eq!((taken.len(), taken[0].kind.as_str(), taken[0].throttled), (1, "USER", 3));
        assert_eq!((taken[0].wru, taken[0].all_wru), (1.0, 1.5));
        let taken = partitions.taken(&Asked { key: Some("USER#2".into()) });
        assert_eq!((taken.len(), taken[0].wru, taken[0].throttled), (1, 0.5, 0));

        partitions.set(Bound { wru_per_second: 0.001, kind: Some("COUNTER".into()) });
        for key in ["USER#1", "COUNTER#1"] {
            assert!(partitions.admit(&write(key)));
            partitions.took(&write(key), 1.0);
        }
        assert!(partitions.admit(&write("USER#1")), "the bound is another kind's");
        assert!(!partitions.admit(&write("COUNTER#1")));
    }
}
