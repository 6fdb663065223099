//! DynamoDB's bound on what one key takes, where it is switched on: writes to a key beyond it are throttled (AWS: "Designing
//! partition keys to distribute your workload").

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the bound is, and what each key has taken since it was set.
#[derive(Clone, Default)]
pub struct Partitions(Arc<Mutex<Option<Watch>>>);

struct Watch {
    wru_per_second: f64,
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    pub wru_per_second: f64,
}

/// The hottest key of a kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hottest {
    /// The first word of its partition key.
    pub kind: String,
    pub wru: f64,
    pub throttled: usize,
}

impl Partitions {
    /// Sets the bound and forgets what was taken.
    pub fn set(&self, bound: &Bound) {
        let watch = Watch { wru_per_second: bound.wru_per_second, keys: HashMap::new() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
    }

    /// Whether the keys that a request writes to take a write yet.
    pub fn admit(&self, request: &Value) -> bool {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watch) = watch.as_mut() else { return true };
        let Watch { wru_per_second, keys } = watch;
        let mut admitted = true;
        for name in written(request) {
            let now = Instant::now();
            let fresh = Key { left: *wru_per_second, at: now, taken: 0.0, throttled: 0 };
            let key = keys.entry(name).or_insert(fresh);
            let grown = key.left + now.duration_since(key.at).as_secs_f64() * *wru_per_second;
            (key.left, key.at) = (grown.min(*wru_per_second), now);
            if key.left <= 0.0 {
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

    /// The hottest key of each kind, the hottest first.
    pub fn hottest(&self) -> Vec<Hottest> {
        let watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hottest: HashMap<&str, Hottest> = HashMap::new();
        for ((_, partition), key) in watch.iter().flat_map(|watch| &watch.keys) {
            let kind = partition.split('#').next().unwrap_or_default();
            let hotter = hottest.get(kind).is_none_or(|other| other.wru < key.taken);
            if hotter {
                hottest.insert(kind, Hottest { kind: kind.to_owned(), wru: key.taken, throttled: key.throttled });
            }
        }
        let mut hottest: Vec<_> = hottest.into_values().collect();
        hottest.sort_by(|one, other| other.wru.total_cmp(&one.wru));
        hottest
    }
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
        partitions.set(&Bound { wru_per_second: 0.001 });
        assert!(partitions.admit(&write("USER#1")));
        partitions.took(&write("USER#1"), 1.0);
        assert!(!partitions.admit(&write("USER#1")));
        assert!(partitions.admit(&write("USER#2")));
        let put = |table: &str| json!({ "TableName": table, "Item": { "pk": { "S": "USER#1" } } });
        assert!(!partitions.admit(&json!({ "TransactItems": [{ "Put": put("users") }] })));
        assert!(partitions.admit(&put("tokens")), "a table's keys are its own");
        assert!(!partitions.admit(&json!({ "RequestItems": { "users": [{ "PutRequest": put("users") }] } })));
        let hottest = partitions.hottest();
        assert_eq!((hottest.len(), hottest[0].kind.as_str(), hottest[0].throttled), (1, "USER", 3));
        assert!((hottest[0].wru - 1.0).abs() < f64::EPSILON);
    }
}
