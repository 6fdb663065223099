//! What a run of the bench measured. Every field is required: a figure that was not measured cannot be read from the file,
//! and so cannot be shown.

use serde::{Deserialize, Serialize};

/// One run on one machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    pub machine: Machine,
    pub cold: Vec<Cold>,
    pub warm: Vec<Warm>,
    pub stored: Stored,
    pub clients: Vec<Clients>,
    pub logins: Logins,
    pub hashing: Hashing,
    pub people: Vec<Scaled>,
    pub histories: Vec<Scaled>,
    pub attack: Attack,
    pub counters: Counters,
}

/// Where and when it ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub date: String,
    pub processor: String,
    pub architecture: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub rustc: String,
}

/// A function started anew by the Runtime API, in milliseconds from its spawning.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cold {
    /// Its binary; `empty` is one that answers and does nothing else.
    pub function: String,
    /// What its first event was.
    pub event: String,
    /// How much later than the empty function it may answer, where that is bound.
    pub most_over_empty_ms: Option<f64>,
    pub runs: usize,
    /// To its first request for an event, in the median.
    pub to_next_ms: f64,
    /// To its first answer, in the median.
    pub to_answer_ms: f64,
    /// Median of how much later than the empty function of the same round it answered.
    pub over_empty_ms: f64,
    /// The same two on one processor, which the Runtime API shares.
    pub alone_to_answer_ms: f64,
    pub alone_over_empty_ms: f64,
    /// Memory that the template gives it.
    pub memory_mb: f64,
    /// The most memory that it had, in the median.
    pub peak_rss_kib: u64,
    pub zip_bytes: u64,
}

/// A request that a warm function serves again and again, alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warm {
    pub operation: String,
    pub function: String,
    /// In which it took turns with the others, each once with the processor kept from halting while the function waits, and once
    /// without.
    pub rounds: usize,
    /// Of all rounds together, with the processor kept from halting; as many without.
    pub requests: usize,
    /// Processor time of the function, user and system, with the processor kept from halting: in the round that had least of it,
    /// and in the median.
    pub least_cpu_us: f64,
    pub awake_cpu_us: f64,
    /// In the median of the rounds without. So are the next two.
    pub cpu_us: f64,
    /// From handing out the event to having the answer, in the median.
    pub wall_us: f64,
    /// Part of it during which a call to an AWS endpoint was under way, in the median.
    pub store_us: f64,
    /// Bytes that the function logged, in the median of the rounds.
    pub log_bytes: f64,
    /// Memory that the template gives it.
    pub memory_mb: f64,
    pub peak_rss_kib: u64,
}

/// Bytes in the tables.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Of a user: account, claims, profile and search index.
    pub bytes_of_a_user: f64,
    /// Of an attempt: history, code and counts, in a history of a thousand.
    pub bytes_of_an_attempt: f64,
}

/// An endpoint under so many clients that each send the next request when they have the last answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    pub operation: String,
    pub clients: usize,
    pub requests: usize,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Logins beside bare verifications of the same hash, in the same run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logins {
    /// Instances of the function that share one core; the store and the clients have the others.
    pub instances: usize,
    /// Bare verifications a second on that core, as the library makes them: in memory of its own each time.
    pub bare_per_second: f64,
    /// Verifications as the service makes them, in memory that is kept.
    pub kept_per_second: f64,
    /// Logins a second on that core.
    pub per_second: f64,
    /// The median over the rounds of one by the other.
    pub ratio: f64,
    pub kept_ratio: f64,
    pub rounds: usize,
    /// Of the whole stack on all cores, the store and the clients included: bare verifications, logins, and the median over the
    /// rounds of one by the other.
    pub whole_bare_per_second: f64,
    pub whole_per_second: f64,
    pub whole_ratio: f64,
    pub whole_rounds: usize,
    /// Clients that sign in again and again there.
    pub clients: usize,
    /// What else is asked for while logins take all that there is.
    pub beside: Vec<Beside>,
}

/// An endpoint while logins saturate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    pub operation: String,
    pub requests: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// One Argon2id verification, ours and the reference's in turns.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashing {
    pub parameters: String,
    pub reference: String,
    pub rounds: usize,
    pub ours_ms: f64,
    pub reference_ms: f64,
    /// The median over the rounds of ours by the reference's.
    pub ratio: f64,
}

/// A request among so many.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaled {
    pub case: String,
    pub count: u64,
    /// The most units of any time.
    pub wru: f64,
    pub rru: f64,
    /// In the median, and by what the same took in turns with it among the fewest.
    pub median_ms: f64,
    pub ratio: f64,
    pub requests: usize,
}

/// One account under attack, with DynamoDB's bound on one key in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// Writes a second that one key takes.
    pub key_wru_per_second: f64,
    pub seconds: f64,
    pub attempts: usize,
    pub attempts_per_second: f64,
    /// Comparisons of a password that the attack brought about.
    pub comparisons: usize,
    /// Attempts that were refused with 429 and with 503.
    pub limited: usize,
    pub unavailable: usize,
    /// The most units that one item of a kind took, by kind: the hottest first.
    pub hottest: Vec<(String, f64)>,
    /// What the attacked account's own key took.
    pub account_wru: f64,
    /// Refreshes of other people meanwhile, how many of them failed, and how long they took.
    pub others: usize,
    pub others_failed: usize,
    pub others_p99_ms: f64,
}

/// The counters without a bound on what one of their rows takes, and with one that they meet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    pub key_wru_per_second: f64,
    pub free: Spell,
    pub bound: Spell,
}

/// So many events, and how they were counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spell {
    /// From the first of them until all were counted.
    pub seconds: f64,
    pub events: i64,
    pub events_per_second: f64,
    pub counted: i64,
    /// Batches of them, counted in one write each.
    pub batches: f64,
    /// Of the row that took most.
    pub hottest_wru: f64,
    /// Writes that a row did not take yet.
    pub throttled: usize,
    /// From the last event until all were counted.
    pub caught_up_ms: f64,
    /// Of the requests that the events come of.
    pub p99_ms: f64,
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn what_lacks_a_figure_is_not_read() {
        let mut row =
            json!({ "operation": "me", "clients": 8, "requests": 9, "per_second": 1.0, "p50_ms": 1.0, "p99_ms": 1.0 });
        assert!(from_value::<Clients>(row.clone()).is_ok());
        row["p99_ms"] = json!(null);
        assert!(from_value::<Clients>(row.clone()).is_err());
        row.as_object_mut().unwrap().remove("p99_ms");
        assert!(from_value::<Clients>(row).is_err());
        assert!(from_value::<Measured>(json!({})).is_err());
    }
}
