//! An hour of mixed traffic in a minute or so: each round some people act as fast as they can, and then a minute goes by.

use std::{
    fs,
    time::{Duration, Instant},
};

use fastrand::Rng;
use futures_util::future::join_all;

use crate::{
    invariants,
    operations::{self, Heard, Operation},
    person::Person,
    service::{Service, Wrong},
};

const PEOPLE: usize = 8;
/// Rounds, which are minutes of the service's clock; after so many it is warm.
const ROUNDS: u32 = 60;
const WARM: u32 = 15;
/// How long people act in a round.
const SPAN: Duration = Duration::from_millis(900);
/// Descriptors that may come on top: connections that pools of the functions come to need, both of whose ends are in the one process. A leak
/// would be of thousands of requests.
const POOLED: usize = 10 * PEOPLE;
/// What memory may have grown by since the service was warm.
const GROWTH: f64 = 1.2;

/// What people do all day.
const DAILY: [Operation; 12] = [
    Operation::LogIn,
    Operation::Refresh,
    Operation::RefreshAtOnce,
    Operation::Me,
    Operation::Me,
    Operation::MeWithWhatEnded,
    Operation::Submit,
    Operation::Submit,
    Operation::Submit,
    Operation::Rename,
    Operation::LogOut,
    Operation::ChangePassword,
];

/// Answers with what was seen, or with what was wrong: an error, memory that grew, descriptors that leaked.
pub async fn hour() -> Result<String, Wrong> {
    let service = Service::start().await?;
    let mut people: Vec<_> = (0..PEOPLE).map(|number| Person { number, ..Person::default() }).collect();
    let (mut now, mut heard, mut warm) = (0, Heard::default(), None);
    let began = Instant::now();
    for round in 0..ROUNDS {
        let until = Instant::now() + SPAN;
        let acts = people.iter_mut().map(|person| act(&service, person, Rng::with_seed(round.into()), until, now));
        for done in join_all(acts).await {
            heard.add(done?);
        }
        if heard.lost > 0 {
            return Err(format!("{} requests were not answered, or with 503, in minute {round}", heard.lost));
        }
        if round == WARM {
            warm = Some(Held::by(&service)?);
        }
        service.advance(60).await?;
        now += 60;
    }
    let (Some(warm), end) = (warm, Held::by(&service)?) else { return Err("it never was warm".into()) };
    // After memory was counted: it reads whole tables out of the process, which people do not.
    invariants::hold(&service, &mut people, now).await?;
    if end.memory_kib as f64 > warm.memory_kib as f64 * GROWTH {
        return Err(format!("memory grew from {} to {} KiB", warm.memory_kib, end.memory_kib));
    }
    if end.descriptors > warm.descriptors + POOLED {
        return Err(format!("descriptors grew from {} to {}", warm.descriptors, end.descriptors));
    }
    Ok(format!(
        "load: {ROUNDS} minutes of its clock in {:.0} s: {} answers, no error; {} MiB warm and {} at the end, {} descriptors and {}",
        began.elapsed().as_secs_f64(),
        heard.heard,
        warm.memory_kib / 1024,
        end.memory_kib / 1024,
        warm.descriptors,
        end.descriptors
    ))
}

async fn act(service: &Service, person: &mut Person, random: Rng, until: Instant, now: u64) -> Result<Heard, Wrong> {
    let mut random = Rng::with_seed(random.get_seed() ^ (person.number as u64) << 32);
    let mut heard = Heard::default();
    while Instant::now() < until {
        let operation = random.choice(DAILY).unwrap_or(Operation::Me);
        heard.add(operations::act(service, person, operation, random.fork(), now).await?);
    }
    Ok(heard)
}

/// What the process holds.
struct Held {
    memory_kib: u64,
    descriptors: usize,
}

impl Held {
    fn by(service: &Service) -> Result<Self, Wrong> {
        let failed = |error: std::io::Error| format!("/proc: {error}");
        let status = fs::read_to_string(format!("/proc/{}/status", service.id())).map_err(failed)?;
        let memory =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
        let descriptors = fs::read_dir(format!("/proc/{}/fd", service.id())).map_err(failed)?.count();
        Ok(Self { memory_kib: memory.ok_or("it has no VmRSS")?, descriptors })
    }
}
