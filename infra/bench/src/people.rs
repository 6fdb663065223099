//! The same requests among more and more people, in turns with the same among the fewest.

use figures::measured::Scaled;
use indicatif::ProgressBar;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tests::client::{App, Member, PASSWORD};

use crate::{
    Failure, Result,
    requests::{ADMIN, SETTINGS},
    scale::{Repeated, TURNS},
};

/// How many people there are.
const STEPS: [u64; 3] = [1_000, 100_000, 1_000_000];
/// How many are added between two moves of the bar.
const BATCH: u64 = 10_000;
/// What is asked.
const CASES: [&str; 6] =
    ["login", "me", "search that finds many", "search of two words", "search that finds one", "list of users"];

/// Moves of the bar.
pub const MOVES: usize = 1 + ((STEPS[1] - STEPS[0]).div_ceil(BATCH) + (STEPS[2] - STEPS[1]).div_ceil(BATCH)) as usize;

/// Measures at each step.
pub async fn measure(bar: &ProgressBar) -> Result<Vec<Scaled>> {
    bar.set_message("among many people");
    let (fewest, growing) = (Crowd::new().await?, Crowd::new().await?);
    fewest.app.load_people(0, STEPS[0]);
    let mut rows = Vec::new();
    let mut loaded = 0;
    for step in STEPS {
        while loaded < step {
            let batch = BATCH.min(step - loaded);
            growing.app.load_people(loaded, batch);
            loaded += batch;
            bar.inc(1);
        }
        for case in CASES {
            let (mut few, mut many) = (Repeated::default(), Repeated::default());
            for _ in 0..TURNS {
                for (repeated, crowd) in [(&mut few, &fewest), (&mut many, &growing)] {
                    repeated.turn(&crowd.app, case, &|| crowd.asked(case)).await?;
                }
            }
            rows.push(many.row(case, step, few.median()?)?);
        }
    }
    Ok(rows)
}

struct Crowd {
    app: App,
    admin: Member,
    member: Member,
    /// Who signs in again and again loses the sessions of before.
    guest: Member,
}

impl Crowd {
    async fn new() -> Result<Self> {
        let app = App::with(&SETTINGS).await;
        let admin = app.member(ADMIN).await;
        let member = app.member("alice@example.com").await;
        let guest = app.member("bob@example.com").await;
        // Nobody of those who are loaded has a name like it.
        let request = app.request(Method::PUT, "/api/v1/users/me").bearer_auth(&guest.access_token);
        let named = app.send(request.json(&json!({ "full_name": "Quirin Xaver" }))).await;
        if !named.status.is_success() {
            return Err(Failure(format!("update_user: {}", named.text)));
        }
        app.all_letters().await;
        let crowd = Self { app, admin, member, guest };
        let found = crowd.app.send(crowd.asked("search that finds one")).await;
        if found.text.contains("Quirin Xaver") { Ok(crowd) } else { Err(Failure(format!("search: {}", found.text))) }
    }

    fn asked(&self, case: &str) -> RequestBuilder {
        let get = |member: &Member, path: &str| self.app.request(Method::GET, path).bearer_auth(&member.access_token);
        match case {
            "login" => {
                let body = json!({ "email": self.guest.email, "password": PASSWORD });
                self.app.request(Method::POST, "/api/v1/auth/login").json(&body)
            }
            "search that finds many" => get(&self.member, "/api/v1/users/search?q=anna&limit=20"),
            "search of two words" => get(&self.member, "/api/v1/users/search?q=mull%20greta&limit=20"),
            "search that finds one" => get(&self.member, "/api/v1/users/search?q=xaver&limit=20"),
            "list of users" => get(&self.admin, "/api/v1/users?limit=20"),
            _ => get(&self.member, "/api/v1/auth/me"),
        }
    }
}
