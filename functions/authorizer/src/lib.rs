//! Function `authorizer`: a Lambda authorizer for other APIs on API Gateway. It takes the events of HTTP APIs (payload 2.0
//! and 1.0), of REST APIs (`TOKEN` and `REQUEST`) and of `$connect` of WebSocket APIs, and answers each in its own form.
//!
//! The token is checked offline. With `AUTHORIZER_CHECK_SESSION=true` one strong read also says whether its session still
//! counts; what the context then tells is the account's own, as of now.

mod answer;
mod request;

use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;
use shared::{
    Platform, aws,
    crypto::{Keyring, Verifier},
    domain::Account,
    http::{Authority, Problem},
    invocation,
    telemetry::{self, Meter, Metric},
};
use thiserror::Error as Failing;

use answer::{Admitted, Answer};
use request::Request;

/// What the authorizer may touch.
#[derive(Clone)]
pub struct Authorizer {
    meter: Meter,
    check: Check,
    /// Whether an account has to be verified before its tokens let anyone pass.
    require_verified: bool,
}

#[derive(Clone)]
enum Check {
    Offline(Keyring<Verifier>),
    Session(Authority),
}

/// Why API Gateway is not given an answer.
#[derive(Debug, Failing)]
enum Failure {
    /// API Gateway makes a 401 of exactly this word.
    #[error("Unauthorized")]
    Unauthorized,
    #[error("the event is of no form that is known here")]
    UnknownForm,
    #[error("{0}")]
    Unavailable(String),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Unavailable(problem.reason().to_owned())
    }
}

impl Authorizer {
    /// Reads the published keys.
    ///
    /// # Errors
    /// Where a setting or the keys are not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, Error> {
        let check = if platform.settings.authorizer_check_session {
            Check::Session(Authority::load(platform).await?)
        } else {
            Check::Offline(Keyring::load(platform).await?)
        };
        let meter = Meter::new(&platform.settings, &platform.clock);
        Ok(Self { meter, check, require_verified: platform.settings.require_verified_email })
    }

    /// Answers an event in the form that its kind of API expects.
    ///
    /// # Errors
    /// `Unauthorized` where a REST or WebSocket API's caller has no valid token: API Gateway answers 401. Anything else is a
    /// failure, of which it makes a 500.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let work = async {
            let answered = self.answer(&event.payload).await;
            if matches!(answered, Err(Failure::Unauthorized)) {
                telemetry::count(Metric::AuthorizerRefusals);
            }
            answered
        };
        let answered = invocation::observed(&self.meter, &event.context, work).await;
        answered.map_err(|failure| {
            if !matches!(failure, Failure::Unauthorized) {
                tracing::error!(reason = aws::reason(&failure), "not decided");
            }
            failure.into()
        })
    }

    async fn answer(&self, event: &Value) -> Result<Value, Failure> {
        let request = Request::read(event).ok_or(Failure::UnknownForm)?;
        let admitted = match &request.token {
            Some(token) => self.admit(token).await?,
            None => None,
        };
        Answer::to(&request, admitted).ok_or(Failure::Unauthorized)
    }

    async fn admit(&self, token: &str) -> Result<Option<Admitted>, Failure> {
        let admitted = match &self.check {
            Check::Offline(verifiers) => {
                let verified = verifiers.verify(token).await;
                let verified = verified.map_err(|error| Failure::Unavailable(aws::reason(&error)))?;
                verified.ok().filter(|claims| claims.email_verified || !self.require_verified).map(Admitted::from)
            }
            Check::Session(authority) => {
                let usable = |account: &Account| account.verified || !self.require_verified;
                let inspected = authority.inspect(token).await?.filter(|(_, account)| usable(account));
                inspected.map(|(claims, account)| Admitted::of(&claims, &account, self.require_verified))
            }
        };
        Ok(admitted)
    }
}
