//! What many writes to one key come to.

use std::fmt::Write;

use crate::{
    measured::{Attack, Counters, Spell},
    section::{Section, ms},
};

/// One account under attack.
pub fn attack(attack: &Attack) -> Section {
    let mut section = Section::new(
        "One account under attack",
        &format!(
            "DynamoDB takes {} WRU a second on one key. The local endpoints enforced that bound while {} wrong passwords for one \
             account came in {:.1} s, and other people went on meanwhile. A key begins with what it has left of a second before. The \
             limits are those of a deployment, but for the one of a client's address, which is off: as if each attempt came from another. \
             `RATE` is the attacked account's window; the hottest `USER` may be someone else who goes on, and the account's own key is told apart.",
            attack.key_wru_per_second, attack.attempts, attack.seconds
        ),
    );
    let locked = attack.attempts - attack.comparisons - attack.limited - attack.unavailable;
    section.table(
        &["attempts a second", "passwords compared", "locked, 403", "refused with 429", "refused with 503"],
        [vec![
            format!("{:.0}", attack.attempts_per_second),
            attack.comparisons.to_string(),
            locked.to_string(),
            attack.limited.to_string(),
            attack.unavailable.to_string(),
        ]],
    );
    section.table(
        &["hottest item of the kind", "WRU that it took", "WRU an attempt"],
        attack
            .hottest
            .iter()
            .map(|(kind, units)| (format!("`{kind}`"), *units))
            .chain([("`USER` of the attacked account".to_owned(), attack.account_wru)])
            .map(|(kind, units)| vec![kind, format!("{units:.0}"), format!("{:.4}", units / attack.attempts as f64)]),
    );
    // Writing to a string cannot fail.
    let _ = writeln!(
        section.text,
        "Of {} refreshes of other people meanwhile, {} failed; their p99 was {}.",
        attack.others,
        attack.others_failed,
        ms(attack.others_p99_ms)
    );
    section.text.push('\n');
    section
}

/// The counters.
pub fn counters(counters: &Counters) -> Section {
    let needed = counters.free.batches * 2.0 / counters.free.seconds;
    let mut section = Section::new(
        "The counters at their bound",
        &format!(
            "What the metrics tell is counted from the streams into eight rows, each batch in one write of 2 WRU to one of them. DynamoDB's \
             bound on a row is beyond what one machine brings about, so that the local endpoints enforced another one, of {} WRU a \
             second, on these rows alone, while someone recorded {} attempts a second: their batches came to {needed:.0} WRU a second without it. A \
             write that a row does not take yet is tried again, and then its batch comes again, so that the counters fall \
             behind and catch up, and the requests know nothing of it.",
            counters.key_wru_per_second, counters.bound.events_per_second
        ),
    );
    let row = |name: &str, spell: &Spell| {
        vec![
            name.to_owned(),
            spell.events.to_string(),
            spell.counted.to_string(),
            format!("{:.0}", spell.batches),
            format!("{:.1} s", spell.seconds),
            format!("{:.1}", spell.hottest_wru / spell.seconds),
            spell.throttled.to_string(),
            format!("{:.1} s", spell.caught_up_ms / 1000.0),
            ms(spell.p99_ms),
        ]
    };
    section.table(
        &[
            "rows are",
            "events",
            "counted",
            "batches",
            "within",
            "hottest row's WRU a second",
            "writes not taken yet",
            "last counted, after the last event",
            "p99 of the requests",
        ],
        [row("free", &counters.free), row("bound", &counters.bound)],
    );
    section
}
