//! A story: a service, some people, and what happens, all of it drawn from a seed.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::{join, join_all};

use crate::{
    invariants,
    operations::{self, Heard, Operation},
    person::{Doubt, Person},
    service::{Service, Wrong},
};

/// People of a story, and steps of one.
const PEOPLE: usize = 6;
const STEPS: usize = 120;
/// Operations of a person in a row.
const ROW: usize = 3;
/// Steps between two looks at everything.
const LOOK: usize = 30;
/// Seconds after which every lock has ended.
const PAST_LOCKS: u32 = 1_000;

/// What all stories came to.
#[derive(Debug, Default)]
pub struct Tally {
    pub stories: u64,
    pub operations: u64,
    pub answers: u64,
    pub lost: u64,
    pub struck: u64,
    pub kills: u64,
    pub checks: u64,
    /// People of whom everything was read at those looks.
    pub looked_at: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.stories += other.stories;
        self.operations += other.operations;
        self.answers += other.answers;
        self.lost += other.lost;
        self.struck += other.struck;
        self.kills += other.kills;
        self.checks += other.checks;
        self.looked_at += other.looked_at;
    }
}

pub struct Story {
    seed: u64,
    per_mille: u64,
    random: Rng,
    people: Vec<Person>,
    /// Seconds that the clock was moved.
    now: u64,
    told: Vec<String>,
}

impl Story {
    pub fn new(seed: u64, per_mille: u64) -> Self {
        let people = (0..PEOPLE).map(|number| Person { number, ..Person::default() }).collect();
        Self { seed, per_mille, random: Rng::with_seed(seed), people, now: 0, told: Vec::new() }
    }

    /// Tells it to its end, or to where something is wrong.
    pub async fn tell(mut self) -> Result<Tally, Wrong> {
        let mut service = Service::start().await?;
        let mut tally = Tally { stories: 1, ..Tally::default() };
        match self.steps(&mut service, &mut tally).await {
            Ok(()) => Ok(tally),
            Err(wrong) => Err(format!(
                "Seed {}, after {} steps:\n{}\nWrong: {wrong}\n\nThe story again: cargo run -p tests --bin model -- --seconds 0 --at-once 1 \
                 --seed {} --per-mille {}",
                self.seed,
                self.told.len(),
                self.told.join("\n"),
                self.seed,
                self.per_mille
            )),
        }
    }

    async fn steps(&mut self, service: &mut Service, tally: &mut Tally) -> Result<(), Wrong> {
        service.plan(self.seed, self.per_mille).await?;
        for step in 1..=STEPS {
            match self.random.u32(..100) {
                0..8 => {
                    let seconds = self.seconds();
                    self.advance(service, seconds).await?;
                }
                8..16 => self.act(service, true, tally).await?,
                _ => self.act(service, false, tally).await?,
            }
            self.settle(service, tally).await?;
            if step % LOOK == 0 {
                self.quiet(service, tally).await?;
                // Past the last sweep of an erasure.
                self.advance(service, 151).await?;
                tally.looked_at += invariants::hold(service, &mut self.people, self.now).await?;
                tally.checks += 1;
                service.plan(self.seed + step as u64, self.per_mille).await?;
            }
        }
        Ok(())
    }

    /// Short of the time that a lock takes, or past it.
    fn seconds(&mut self) -> u32 {
        if self.random.u8(..3) == 0 { PAST_LOCKS } else { 12 }
    }

    async fn advance(&mut self, service: &Service, seconds: u32) -> Result<(), Wrong> {
        self.told.push(format!("{seconds} s go by"));
        self.now += u64::from(seconds);
        service.advance(seconds).await?;
        for account in self.people.iter_mut().filter_map(|person| person.account.as_mut()) {
            // What counts of guesses from before is not known to their owner.
            if account.wrong > 0 && seconds > 60 {
                account.doubt = account.doubt.or(Some(Doubt::Credentials));
            }
        }
        Ok(())
    }

    /// Some people act at once; the service may be killed in the middle of it.
    async fn act(&mut self, service: &mut Service, killed: bool, tally: &mut Tally) -> Result<(), Wrong> {
        let count = self.random.usize(1..=4);
        let mut acting: Vec<usize> = (0..PEOPLE).collect();
        self.random.shuffle(&mut acting);
        acting.truncate(count);
        let mut chosen = Vec::new();
        for who in acting {
            let row: Vec<_> = (0..self.random.usize(1..=ROW)).map(|_| Operation::drawn(&mut self.random)).collect();
            chosen.push((who, row, self.random.fork()));
        }
        let words: Vec<String> = chosen.iter().map(|(who, row, _)| format!("{who} {row:?}")).collect();
        self.told.push(format!("{}{}", words.join(", "), if killed { ", and a kill" } else { "" }));
        let after = Duration::from_micros(self.random.u64(..60_000));
        let now = self.now;
        let mut parts: Vec<Option<&mut Person>> = self.people.iter_mut().map(Some).collect();
        let acts = chosen.into_iter().filter_map(|(who, row, mut random)| {
            let person = parts.get_mut(who)?.take()?;
            let service = &*service;
            Some(async move {
                let mut heard = Heard::default();
                for operation in row {
                    heard.add(operations::act(service, person, operation, random.fork(), now).await?);
                }
                Ok::<_, Wrong>(heard)
            })
        });
        let (done, ()) = join(join_all(acts), async {
            if killed {
                tokio::time::sleep(after).await;
                service.strike();
            }
        })
        .await;
        for done in done {
            let answers = done?;
            tally.operations += answers.operations;
            tally.answers += answers.heard;
            tally.lost += answers.lost;
        }
        if killed {
            service.revive().await?;
            tally.kills += 1;
            service.plan(self.seed, self.per_mille).await?;
        }
        Ok(())
    }

    /// Without faults, and with every lock past, people find out what became of what they were not answered.
    async fn settle(&mut self, service: &Service, tally: &mut Tally) -> Result<(), Wrong> {
        if self.people.iter().all(|person| person.account.as_ref().is_none_or(|account| account.doubt.is_none())) {
            return Ok(());
        }
        self.quiet(service, tally).await?;
        for person in &mut self.people {
            operations::exhaust(service, person, self.now).await?;
        }
        self.advance(service, PAST_LOCKS).await?;
        for person in &mut self.people {
            operations::settle(service, person, self.now).await?;
        }
        service.plan(self.seed + self.now, self.per_mille).await.map(drop)
    }

    async fn quiet(&self, service: &Service, tally: &mut Tally) -> Result<(), Wrong> {
        tally.struck += service.plan(0, 0).await?;
        Ok(())
    }
}
