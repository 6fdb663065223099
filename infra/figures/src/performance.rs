//! `docs/performance.md` and its plots.

use std::{collections::BTreeMap, error::Error};

use crate::{
    hot_keys::{attack, counters},
    measured::{Clients, Cold, Hashing, Logins, Measured, Scaled, Warm},
    plot::{self, Line},
    section::{File, Section, below, ms, over},
};

/// Microseconds of processor time of a warm read for someone authenticated, at most, and what is such a read.
const READ_US: f64 = 300.0;
const READS: [&str; 8] = ["me", "introspect", "profile", "stats", "search", "summary", "history", "avatar"];
/// What is plotted under many clients: what is asked for most. All that is measured would be a tangle.
const PLOTTED: [&str; 14] = [
    "avatar",
    "healthz",
    "history",
    "introspect",
    "login",
    "me",
    "profile",
    "refresh",
    "register",
    "search",
    "stats",
    "submit",
    "summary",
    "update_profile",
];
/// Most bytes of a zip.
const ZIP: u64 = 6 * 1024 * 1024;

/// The page and its plots.
///
/// # Errors
/// Where there is nothing to plot, or to compare with.
pub fn files(measured: &Measured) -> Result<Vec<File>, Box<dyn Error>> {
    let machine = &measured.machine;
    let mut page = format!(
        "# Performance\n\n\
         Written by the bench from what it measured in one run, and from nothing else: `cargo run --release -p bench`. The raw \
         figures are `performance/measured.json`. What each endpoint takes of DynamoDB is in [capacity.md](capacity.md), what \
         that costs in [cost.md](cost.md), and what comes beyond one machine in [scaling.md](scaling.md).\n\n\
         Measured on {}: {} ({}), {} cores, {} GiB of memory, Linux {}, {}. Absolute times are this machine's; what is \
         compared by a ratio ran in turns. Numbers of clients, numbers of people, and the counters without and with their bound come one after \
         the other.\n\n",
        machine.date,
        machine.processor,
        machine.architecture,
        machine.cores,
        machine.memory_gib,
        machine.kernel,
        machine.rustc,
    );
    let mut files = Vec::new();
    for section in [
        cold(&measured.cold)?,
        warm(&measured.warm)?,
        clients(&measured.clients)?,
        logins(&measured.logins),
        hashing(&measured.hashing),
        scaled(
            "Among many people",
            "Each row is the same request among more and more people, in the median and with the most units of any time; the last column \
             compares it with the same among a thousand people, in turns, so that the first row of each is the noise.",
            "people",
            &measured.people,
        )?,
        scaled(
            "In long histories",
            "The same of one person's history; all of them reach 700 days back, lie in one table, and are asked about in turns. Pages of the \
             shortest have ten rows and fewer, where the others have twenty, and `activity`, which answers with the days of a year on which \
             there were attempts, five, where the others have every day.",
            "histories",
            &measured.histories,
        )?,
        attack(&measured.attack),
        counters(&measured.counters),
    ] {
        page += &section.text;
        files.extend(section.plots);
    }
    files.push(("performance.md".to_owned(), page));
    Ok(files)
}

fn cold(rows: &[Cold]) -> Result<Section, Box<dyn Error>> {
    let mut section = Section::new(
        "Cold start",
        "Each function is spawned under a Lambda Runtime API of the bench's own, with the AWS endpoints of the local stack: to its \
         first request for an event, and to its first answer. `empty` is a lambda_http function that answers and does nothing else, \
         built with the same profile and started in the same round, of which a third each came before the hashes below, after them, and \
         after the warm functions; the medians of the differences to it are asked for: at most \
         10 ms, and 40 ms for a function that signs, a login with its password's hash in it. The last two columns of time \
         are of as many starts on one processor, which the Runtime API shares, while the store has the others: there, what `auth` \
         leaves to a thread beside its start, the touching of a hash's memory, is in its way. `rotation` is started in two ways: where \
         there are keys already, as with every change of a stack, and where there are none, so that it makes its pairs of RSA keys, \
         once in the life of a stack, which no bound is set for. A zip is to have at most 6 MiB. Not in these figures: what Lambda itself needs \
         to place an instance and load a zip, and TLS, since the endpoints here are plain HTTP. Binaries and zips are this kind of \
         processor's; a deployment takes arm64 where it is not told otherwise.",
    );
    let head = [
        "function",
        "first event",
        "rounds",
        "to `next`",
        "to the answer",
        "over `empty`",
        "times `empty`",
        "to the answer, one processor",
        "over `empty`, one processor",
        "peak memory",
        "zip",
    ];
    let empty = rows.iter().find(|row| row.function == "empty").ok_or("no empty function was measured")?.to_answer_ms;
    section.table(
        &head,
        rows.iter().map(|row| {
            let over_empty = |time: f64| {
                let beyond = row.most_over_empty_ms.is_some_and(|most| time > most);
                format!("{}{}", ms(time), over(beyond))
            };
            vec![
                format!("`{}`", row.function),
                row.event.clone(),
                row.runs.to_string(),
                ms(row.to_next_ms),
                ms(row.to_answer_ms),
                over_empty(row.over_empty_ms),
                format!("{:.1}", row.to_answer_ms / empty),
                ms(row.alone_to_answer_ms),
                over_empty(row.alone_over_empty_ms),
                format!("{:.1} MiB", row.peak_rss_kib as f64 / 1024.0),
                format!("{:.2} MiB{}", row.zip_bytes as f64 / 1_048_576.0, over(row.zip_bytes > ZIP)),
            ]
        }),
    );
    let bars: Vec<_> = rows.iter().map(|row| (format!("{}: {}", row.function, row.event), row.to_answer_ms)).collect();
    let title = "From spawning to the first answer";
    section.plot("cold", title, plot::bars(title, "milliseconds", &bars)?);
    Ok(section)
}

fn warm(rows: &[Warm]) -> Result<Section, Box<dyn Error>> {
    let mut section = Section::new(
        "Warm, one request at a time",
        "One instance, one request at a time, as Lambda does it, on one processor, the equivalent of which it gives at 1,769 MB. Here \
         the Runtime API shares that processor, and the store has the others. Processor time is the function's own, user and system, \
         as the kernel counts it, in the median of rounds in which the requests took turns. A read for someone authenticated is to \
         take at most 300 µs of it. `me` verifies a token and reads two items; `bare_read` is a function that makes the same read by \
         the SDK and does nothing else, and what it takes, here and in this hour, is the measure of the others in the column beside; \
         `search` and `history` make two calls of the SDK, and `avatar` has it sign a link besides its one; the authorizer, \
         `http_2_0`, verifies a token and reads nothing; `registered` is a batch of one event on the stream of users, which the mailer \
         mails of and the janitor counts. What a function takes also depends on its host, which others share, so that \
         two figures stand beside: the median of as many rounds in which a loop of the lowest priority kept the processor from \
         halting while the function waited, and the least of these rounds, which is the nearest to what the function would take on a \
         host of its own. Store is the time during which at least one call to an AWS endpoint was under way, here a local one; on AWS \
         each round trip takes a few milliseconds, during which the function sleeps. Asking for a reset is answered no sooner than \
         after 100 ms, so that nobody learns whether there is an account.",
    );
    let bare = rows.iter().find(|row| row.operation == "bare_read").ok_or("no bare read was measured")?.cpu_us;
    section.table(
        &[
            "request",
            "function",
            "rounds",
            "requests",
            "processor time",
            "times `bare_read`",
            "kept awake",
            "least, awake",
            "answer after",
            "of it the store",
            "peak memory",
        ],
        rows.iter().map(|row| {
            let is_read = READS.contains(&row.operation.as_str());
            vec![
                format!("`{}`", row.operation),
                format!("`{}`", row.function),
                row.rounds.to_string(),
                row.requests.to_string(),
                format!("{:.0} µs{}", row.cpu_us, over(is_read && row.cpu_us > READ_US)),
                format!("{:.1}", row.cpu_us / bare),
                format!("{:.0} µs", row.awake_cpu_us),
                format!("{:.0} µs", row.least_cpu_us),
                format!("{:.0} µs", row.wall_us),
                format!("{:.0} µs", row.store_us),
                format!("{:.1} MiB", row.peak_rss_kib as f64 / 1024.0),
            ]
        }),
    );
    Ok(section)
}

fn clients(rows: &[Clients]) -> Result<Section, Box<dyn Error>> {
    let mut section = Section::new(
        "Under many clients",
        "Every operation of the API. The whole local stack, the gateway, the functions, the database and the clients themselves, on this \
         machine's cores. Each client sends the next request when it has the last answer, so that a latency is that of a queue of that \
         length. What can be asked for once, as the end of a session or a mailed code, was prepared for as many requests as the columns \
         say; of a few requests the p99 is the longest of them.",
    );
    let mut operations: BTreeMap<&str, Vec<&Clients>> = BTreeMap::new();
    rows.iter().for_each(|row| operations.entry(&row.operation).or_default().push(row));
    let steps: Vec<usize> = operations.values().next().into_iter().flatten().map(|row| row.clients).collect();
    let of_each = |name: &str| steps.iter().map(|clients| format!("{name}, {clients}")).collect::<Vec<_>>();
    let head: Vec<String> = [of_each("requests"), of_each("a second"), of_each("p50"), of_each("p99")].concat();
    let head: Vec<&str> = ["request"].into_iter().chain(head.iter().map(String::as_str)).collect();
    section.table(
        &head,
        operations.iter().map(|(name, rows)| {
            let each = |value: fn(&Clients) -> String| rows.iter().map(|row| value(row)).collect::<Vec<_>>();
            let requests = each(|row| row.requests.to_string());
            let rate = each(|row| format!("{:.0}", row.per_second));
            let (p50, p99) = (each(|row| ms(row.p50_ms)), each(|row| ms(row.p99_ms)));
            [vec![format!("`{name}`")], requests, rate, p50, p99].concat()
        }),
    );
    operations.retain(|name, _| PLOTTED.contains(name));
    section.text += "What is asked for most, plotted:\n\n";
    let lines = |value: fn(&Clients) -> f64| {
        let line = |(name, rows): (&&str, &Vec<&Clients>)| Line {
            name: (*name).to_owned(),
            points: rows.iter().map(|row| (row.clients as f64, value(row))).collect(),
        };
        operations.iter().map(line).collect::<Vec<_>>()
    };
    let title = "Requests a second by clients";
    section.plot(
        "throughput",
        title,
        plot::lines(title, "clients", "requests a second", &lines(|row| row.per_second))?,
    );
    let title = "p99 by clients";
    section.plot("latency", title, plot::lines(title, "clients", "milliseconds", &lines(|row| row.p99_ms))?);
    Ok(section)
}

fn logins(logins: &Logins) -> Section {
    let mut section = Section::new(
        "Logins and what a hash allows",
        "A login is to cost little more than the verification of its password. On one core: bare verifications, then logins by instances \
         of `auth` that share that core, while the store and the clients have the others; at least 0.9 is asked for, \
         of verifications as the library makes them, in memory that each asks for anew, and of such as a login makes, in memory that is \
         kept. The verifications are made by as many processes as there are instances: processes that share a core are in each other's \
         way, and one that has it to itself makes more of them, as often as its time in the next section goes into a second. On all cores: \
         the whole stack with the database and the clients in it. Verifications and logins take turns.",
    );
    let rate = |rate: f64| format!("{rate:.1}");
    section.table(
        &["cores", "verifications a second", "logins a second", "ratio"],
        [
            vec![
                format!("one, {} instances, {} rounds", logins.instances, logins.rounds),
                format!("{}, as the library makes them", rate(logins.bare_per_second)),
                rate(logins.per_second),
                format!("{:.3}{}", logins.ratio, below(logins.ratio < 0.9)),
            ],
            vec![
                "the same".to_owned(),
                format!("{}, in memory that is kept, as here", rate(logins.kept_per_second)),
                rate(logins.per_second),
                format!("{:.3}{}", logins.kept_ratio, below(logins.kept_ratio < 0.9)),
            ],
            vec![
                format!("all, everything on them, {} clients, {} rounds", logins.clients, logins.whole_rounds),
                format!("{}, as the library makes them", rate(logins.whole_bare_per_second)),
                rate(logins.whole_per_second),
                format!("{:.3}", logins.whole_ratio),
            ],
        ],
    );
    section.text += "While as many clients sign in again and again on all cores, the p99 of everything else, asked by one more, is to stay \
                     under 50 ms: of every operation but those that hash a password themselves, which wait for the same place, and those that \
                     are answered no sooner than after 100 ms. The local stack has every function in one process, in which the threads that \
                     hash give way to the others (nice 10); on Lambda nothing shares an instance's processor.\n\n";
    section.table(
        &["request", "requests", "p50", "p99"],
        logins.beside.iter().map(|row| {
            let beyond = over(row.p99_ms >= 50.0);
            vec![
                format!("`{}`", row.operation),
                row.requests.to_string(),
                ms(row.p50_ms),
                format!("{}{beyond}", ms(row.p99_ms)),
            ]
        }),
    );
    section
}

fn hashing(hashing: &Hashing) -> Section {
    let mut section = Section::new(
        "Argon2id and its reference",
        "One verification of the same hash, in turns. At most 1.15 of the C reference is asked for. The reference is its package as \
         published, which takes no vectors of AVX2; the crate does where the processor has them.",
    );
    section.table(
        &["parameters", "reference", "rounds", "ours", "reference's", "ratio"],
        [vec![
            hashing.parameters.clone(),
            hashing.reference.clone(),
            hashing.rounds.to_string(),
            ms(hashing.ours_ms),
            ms(hashing.reference_ms),
            format!("{:.3}{}", hashing.ratio, over(hashing.ratio > 1.15)),
        ]],
    );
    section
}

fn scaled(title: &str, introduction: &str, name: &str, rows: &[Scaled]) -> Result<Section, Box<dyn Error>> {
    let mut section = Section::new(title, introduction);
    let mut cases: BTreeMap<&str, Vec<&Scaled>> = BTreeMap::new();
    rows.iter().for_each(|row| cases.entry(&row.case).or_default().push(row));
    section.table(
        &["request", name, "requests", "WRU", "RRU", "median", "times the fewest"],
        cases.values().flatten().map(|row| {
            vec![
                row.case.clone(),
                row.count.to_string(),
                row.requests.to_string(),
                row.wru.to_string(),
                row.rru.to_string(),
                ms(row.median_ms),
                format!("{:.2}", row.ratio),
            ]
        }),
    );
    let lines = |value: fn(&Scaled) -> f64| {
        let line = |(name, rows): (&&str, &Vec<&Scaled>)| Line {
            name: (*name).to_owned(),
            points: rows.iter().map(|row| (row.count as f64, value(row))).collect(),
        };
        cases.iter().map(line).collect::<Vec<_>>()
    };
    let heading = format!("{title}: time");
    section.plot(name, &heading, plot::lines(&heading, name, "milliseconds", &lines(|row| row.median_ms))?);
    let heading = format!("{title}: units of DynamoDB");
    let units = plot::lines(&heading, name, "WRU and RRU", &lines(|row| row.wru + row.rru))?;
    section.plot(&format!("{name}-units"), &heading, units);
    Ok(section)
}
