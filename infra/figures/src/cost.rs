//! What a month of the service costs, from measured capacity, measured durations and list prices; and Cognito beside it.

use std::fmt::Write;

use crate::{
    capacity::Row,
    measured::{Cold, Measured, Warm},
    prices::Prices,
};

/// The functions on the streams, and the batch by which they were measured.
const STREAMS: [&str; 2] = ["janitor", "mailer"];
const BATCH: &str = "registered";

/// What the people of a month do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Monthly active users.
    pub users: f64,
    /// Of each of them in a month:
    pub sign_ups: f64,
    pub logins: f64,
    pub refreshes: f64,
    pub reads: f64,
    pub resets: f64,
    pub attempts: f64,
    pub history_pages: f64,
}

impl Usage {
    /// People who sign in once a week, and whose clients refresh once an hour that they are there.
    pub const TYPICAL: Self = Self {
        users: 100_000.0,
        sign_ups: 0.1,
        logins: 4.0,
        refreshes: 40.0,
        reads: 40.0,
        resets: 0.05,
        attempts: 0.0,
        history_pages: 0.0,
    };
}

/// What everything is worked out from.
pub struct Basis<'a> {
    pub measured: &'a Measured,
    pub capacity: &'a [Row],
    pub prices: &'a Prices,
    /// Secrets, metrics and alarms of the stack, and the metrics that the alarms read.
    pub secrets: usize,
    pub metrics: usize,
    pub alarms: usize,
    pub alarm_metrics: usize,
}

/// A month's bill by what it is for, in dollars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill {
    pub gateway: f64,
    pub lambda: f64,
    pub dynamodb: f64,
    pub mail: f64,
    pub logs: f64,
    pub traces: f64,
    pub storage: f64,
    /// What a stack costs that is called, before its first call.
    pub idle: f64,
}

impl Bill {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.gateway + self.lambda + self.dynamodb + self.mail + self.logs + self.traces + self.storage + self.idle
    }

    fn add(&mut self, other: &Self, times: f64) {
        self.gateway += other.gateway * times;
        self.lambda += other.lambda * times;
        self.dynamodb += other.dynamodb * times;
        self.mail += other.mail * times;
        self.logs += other.logs * times;
        self.traces += other.traces * times;
    }
}

/// Each thing that people do: the operation whose capacity is taken, and the one whose duration is.
type Step = (&'static str, &'static str);

const SIGN_UP: [Step; 2] = [("register", "register"), ("verify_email", "refresh")];
const RESET: [Step; 2] = [("password_reset_request", "password_reset_request"), ("password_reset_confirm", "login")];

impl Basis<'_> {
    /// A month of that usage.
    ///
    /// # Errors
    /// Where something was not measured, or has no price.
    pub fn month(&self, usage: &Usage) -> Result<Bill, String> {
        let mut bill = Bill { idle: self.idle()?, storage: self.storage(usage)?, ..Bill::default() };
        let of_each: [(&[Step], f64); 7] = [
            (&SIGN_UP, usage.sign_ups),
            (&[("login", "login")], usage.logins),
            (&[("refresh", "refresh")], usage.refreshes),
            (&[("me", "me")], usage.reads),
            (&RESET, usage.resets),
            (&[("submit", "submit")], usage.attempts),
            (&[("history", "history")], usage.history_pages),
        ];
        for (steps, times) in of_each {
            for step in steps {
                bill.add(&self.request(*step)?, times * usage.users);
            }
        }
        Ok(bill)
    }

    fn cold(&self, function: &str) -> Result<&Cold, String> {
        let cold = self.measured.cold.iter().find(|cold| cold.function == function);
        cold.ok_or_else(|| format!("no cold start of {function} was measured"))
    }

    /// The costlier of the functions on the streams.
    fn batch(&self) -> Result<&Warm, String> {
        let of = |function: &str| {
            let found = self.measured.warm.iter().find(|warm| warm.operation == BATCH && warm.function == function);
            found.ok_or_else(|| format!("no batch of {function} was measured"))
        };
        let [one, other] = STREAMS;
        let (one, other) = (of(one)?, of(other)?);
        Ok(if one.cpu_us > other.cpu_us { one } else { other })
    }

    /// What a request takes of its function's processor, in milliseconds: with less memory than comes with a whole one, more.
    fn processor_ms(&self, warm: &Warm) -> f64 {
        warm.cpu_us / 1000.0 * self.slower(warm)
    }

    fn slower(&self, warm: &Warm) -> f64 {
        (self.prices.assumed.mb_of_one_processor / warm.memory_mb).max(1.0)
    }

    /// One request, with what follows it.
    ///
    /// # Errors
    /// As [`Self::month`].
    pub fn request(&self, (operation, duration_of): Step) -> Result<Bill, String> {
        let usd = |name: &str| self.prices.usd(name);
        let row = self.row(operation)?;
        let warm = self.warm(duration_of)?;
        let assumed = &self.prices.assumed;
        let after = row.after_batches as f64;
        let (cold, batch) = (self.cold(&warm.function)?, self.batch()?);
        let waited_ms = (row.limiter_round_trips + row.round_trips) as f64 * assumed.round_trip_ms;
        // An answer that is held back takes as long as it was seen to.
        let own_ms = (self.processor_ms(warm) + waited_ms).max(warm.wall_us / 1000.0).ceil();
        let cold_ms = cold.to_next_ms * self.slower(warm) * assumed.cold_share;
        let after_ms = row.after_round_trips as f64 * assumed.round_trip_ms + after * self.processor_ms(batch);
        let gb_ms = (own_ms + cold_ms) * warm.memory_mb / 1024.0 + after_ms * batch.memory_mb / 1024.0;
        let wru = row.wru + row.limiter_wru + row.after_wru;
        let rru = row.rru + row.after_rru;
        let log_bytes = assumed.access_log_bytes + warm.log_bytes + after * batch.log_bytes;
        Ok(Bill {
            gateway: usd("api_gateway_million")? / 1e6,
            lambda: gb_ms / 1000.0 * usd("lambda_gb_second")? + (1.0 + after) * usd("lambda_million_requests")? / 1e6,
            dynamodb: (wru * usd("dynamodb_million_wru")? + rru * usd("dynamodb_million_rru")?) / 1e6,
            mail: row.mails as f64 * usd("ses_thousand_mails")? / 1e3,
            logs: log_bytes / 1e9 * usd("logs_gb")?,
            traces: assumed.traced_share * (1.0 + after) * usd("xray_million_traces")? / 1e6,
            ..Bill::default()
        })
    }

    fn idle(&self) -> Result<f64, String> {
        let usd = |name: &str| self.prices.usd(name);
        let (secrets, metrics, alarms) = (self.secrets as f64, self.metrics as f64, self.alarm_metrics as f64);
        Ok(secrets * usd("secret_month")?
            + metrics * usd("metric_month")?
            + alarms * usd("alarm_month")?
            + usd("dashboard_month")?)
    }

    /// Each active user's account, and a year of their attempts.
    fn storage(&self, usage: &Usage) -> Result<f64, String> {
        let stored = &self.measured.stored;
        let bytes = stored.bytes_of_a_user + stored.bytes_of_an_attempt * usage.attempts * 12.0;
        Ok(bytes * usage.users / 1e9 * self.prices.usd("dynamodb_gb_month")?)
    }

    fn row(&self, operation: &str) -> Result<&Row, String> {
        let rows = self.capacity.iter().filter(|row| row.operation == operation);
        let plain = rows.clone().find(|row| row.case.is_empty());
        plain.or_else(|| rows.clone().next()).ok_or_else(|| format!("capacity.json has no {operation}"))
    }

    fn warm(&self, operation: &str) -> Result<&Warm, String> {
        let found = self.measured.warm.iter().find(|warm| warm.operation == operation);
        found.ok_or_else(|| format!("{operation} was not measured"))
    }
}

/// `docs/cost.md`.
///
/// # Errors
/// Where something was not measured, or has no price.
pub fn page(basis: &Basis<'_>) -> Result<String, String> {
    let prices = basis.prices;
    let typical = Usage::TYPICAL;
    let mut page = format!(
        "# Cost\n\n\
         Derived by `cargo run -p tests --bin regenerate` from the [capacity](capacity.md) that the suite measures, the durations, log \
         lines and sizes that the [bench](performance.md) measured ({}, {}), and the list prices of `infra/figures/prices.toml` as of {}. \
         For numbers of your own: `cargo run -p figures -- --users 50000 --logins 8`.\n\n\
         No free tier of ours is counted, and no discount; Cognito's free users are. Prices are of us-east-1.\n\n",
        basis.measured.machine.processor, basis.measured.machine.date, prices.date,
    );
    page += "## A million of each\n\n| request | API Gateway | Lambda | DynamoDB | mail | logs | traces | sum |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for (operation, duration_of) in [
        ("register", "register"),
        ("login", "login"),
        ("refresh", "refresh"),
        ("me", "me"),
        ("password_reset_request", "password_reset_request"),
        ("submit", "submit"),
        ("history", "history"),
    ] {
        let bill = basis.request((operation, duration_of))?;
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| `{operation}` | {} |",
            [bill.gateway, bill.lambda, bill.dynamodb, bill.mail, bill.logs, bill.traces, bill.total()]
                .map(|usd| format!("${:.2}", usd * 1e6))
                .join(" | ")
        );
    }
    let _ = write!(
        page,
        "\nBefore its first request a stack costs ${:.2} a month: {} secrets, {} alarms of {} metrics, a dashboard, and {} metrics, \
         which are charged for the hours in which they are written: [one that nobody calls](deploying.md#what-an-idle-stack-costs) has \
         hardly any. The janitor's look once a minute is not in it, nor in what follows: under $0.20.\n\n\
         ## Beside Cognito\n\n\
         A month of accounts and sign-in alone, without attempts, which Cognito does not have. Each active user signs in {} times, \
         refreshes {} times and asks for themselves {} times; one in {:.0} is new, and one in {:.0} resets a password. What other APIs \
         check offline costs neither of the two anything. Mail is in our column and not in Cognito's, where it comes on top.\n\n",
        basis.idle()?,
        basis.secrets,
        basis.alarms,
        basis.alarm_metrics,
        basis.metrics,
        typical.logins,
        typical.refreshes,
        typical.reads,
        1.0 / typical.sign_ups,
        1.0 / typical.resets,
    );
    page += "| active users | user-service | ";
    page += &prices.cognito.iter().map(|plan| format!("Cognito {}", plan.name)).collect::<Vec<_>>().join(" | ");
    page += " | cheapest |\n| --- | --- |";
    page += &" --- |".repeat(prices.cognito.len() + 1);
    page.push('\n');
    for users in [1e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7] {
        let own = basis.month(&Usage { users, ..typical })?.total();
        let theirs: Vec<(String, f64)> =
            prices.cognito.iter().map(|plan| (plan.name.clone(), plan.month(users))).collect();
        let cheapest = theirs.iter().filter(|plan| plan.1 < own).min_by(|one, other| one.1.total_cmp(&other.1));
        let cheapest = cheapest.map_or("user-service".to_owned(), |plan| format!("Cognito {}", plan.0));
        let theirs = theirs.iter().map(|plan| format!("${:.2}", plan.1)).collect::<Vec<_>>().join(" | ");
        let _ = writeln!(page, "| {users} | ${own:.2} | {theirs} | {cheapest} |");
    }
    page += &crossings(basis, &typical)?;
    page += "\n## Where Cognito is cheaper\n\n\
             Cognito's price is for people, ours for requests and for a stack that stands there. Cognito is cheaper where there are few \
             people (its first 10,000 are free in Lite and Essentials), and where each of them asks for much: an API whose clients ask for \
             `me` at every step pays us for each. Whoever federates with SAML or sends codes by SMS gets that from Cognito without building \
             it. What its price does not show: hashes of passwords cannot be taken along when one leaves it.\n\n\
             ## What is assumed\n\n";
    let assumed = &prices.assumed;
    let _ = write!(
        page,
        "- A round trip to DynamoDB takes {} ms, one of the limiter's too; that is what most of a duration is. Processor time is the \
         bench's machine's ({}), and is stretched where a function has less memory than the {} MB of a whole processor; the price is \
         that of arm64, which the template takes. Nothing is taken to be quicker than the bench saw it.\n\
         - One invocation in {:.0} starts an instance. API Gateway logs {} bytes a request. X-Ray takes {} % of requests, and its \
         first one of each second is not counted.\n\
         - Functions on the streams take one batch for each request, as they do where little is going on; busy tables give them more at \
         once. A batch takes {:.1} ms of {} MB besides its round trips, as the costlier of the two was measured to.\n\
         - Where an endpoint's duration is not measured, a sister's is taken: `refresh` for verifying an address, `login` for finishing a \
         reset.\n\
         - Storage is {:.0} bytes a user and {:.0} bytes an attempt, of a year of them, with point-in-time recovery; data transfer is not \
         counted.\n\n",
        assumed.round_trip_ms,
        basis.measured.machine.architecture,
        assumed.mb_of_one_processor,
        1.0 / assumed.cold_share,
        assumed.access_log_bytes,
        assumed.traced_share * 100.0,
        basis.processor_ms(basis.batch()?),
        basis.batch()?.memory_mb,
        basis.measured.stored.bytes_of_a_user,
        basis.measured.stored.bytes_of_an_attempt,
    );
    page += "## The prices\n\n\
             Where *seen* is no, no copy of the source could be had that shows the figure; it is what other publications say of it.\n\n\
             | price | US dollars | of | seen | source |\n| --- | --- | --- | --- | --- |\n";
    let seen = |unseen: bool| if unseen { "no" } else { "yes" };
    for (name, price) in prices.all() {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            name.replace('_', " "),
            price.usd,
            price.of.as_deref().unwrap_or_default(),
            seen(price.unseen),
            price.source
        );
    }
    for plan in &prices.cognito {
        let _ = writeln!(
            page,
            "| Cognito {}, an active user | by tier | | {} | {} |",
            plan.name,
            seen(plan.unseen),
            plan.source
        );
    }
    Ok(page)
}

/// From how many users on ours is the cheaper one.
fn crossings(basis: &Basis<'_>, usage: &Usage) -> Result<String, String> {
    let mut text = "\n".to_owned();
    for plan in &basis.prices.cognito {
        let cheaper =
            |users: f64| Ok::<_, String>(basis.month(&Usage { users, ..*usage })?.total() < plan.month(users));
        let (mut low, mut high) = (1.0_f64, 1e9_f64);
        if !cheaper(high)? {
            let _ = writeln!(text, "- Cognito {} stays cheaper up to a billion users.", plan.name);
            continue;
        }
        while high / low > 1.001 {
            let middle = (low * high).sqrt();
            if cheaper(middle)? { high = middle } else { low = middle }
        }
        let _ = writeln!(
            text,
            "- Beside Cognito {}, ours is the cheaper one from about {:.0} active users on.",
            plan.name, high
        );
    }
    Ok(text)
}
