use serde::Serialize;
use serde_json::{Value, json};
use shared::{crypto::Claims, domain::Account};
use uuid::Uuid;

use crate::request::{Form, Request};

/// Who may pass, as the API behind is told: texts alone, since a REST API takes nothing else.
#[derive(Clone, Debug, Serialize)]
pub struct Admitted {
    sub: Uuid,
    sid: Uuid,
    email: String,
    role: String,
    plan: String,
    scope: String,
}

impl From<Claims> for Admitted {
    fn from(claims: Claims) -> Self {
        let Claims { sub, sid, email, role, plan, scope, .. } = claims;
        Self { sub, sid, email, role, plan, scope }
    }
}

impl Admitted {
    /// What the account says as of now, whatever the token says.
    pub fn of(claims: &Claims, account: &Account, require_verified: bool) -> Self {
        Self {
            sub: account.id,
            sid: claims.sid,
            email: account.email.as_str().to_owned(),
            role: account.role.as_str().to_owned(),
            plan: account.plan.as_str().to_owned(),
            scope: account.scope(require_verified),
        }
    }
}

/// What API Gateway is answered.
pub struct Answer;

impl Answer {
    /// The answer in the form that the request's API expects; nothing where that is the word for 401.
    pub fn to(request: &Request, admitted: Option<Admitted>) -> Option<Value> {
        match (&request.form, admitted) {
            (Form::Simple, Some(admitted)) => Some(json!({ "isAuthorized": true, "context": admitted })),
            (Form::Simple, None) => Some(json!({ "isAuthorized": false })),
            (Form::Policy(api) | Form::PolicyOrWord(api), Some(admitted)) => {
                let mut answer = policy(&admitted.sub.to_string(), "Allow", &api.0);
                answer["context"] = json!(admitted);
                Some(answer)
            }
            (Form::Policy(api), None) => Some(policy("nobody", "Deny", &api.0)),
            (Form::PolicyOrWord(_), None) => None,
        }
    }
}

fn policy(principal: &str, effect: &str, api: &str) -> Value {
    let statement = json!({ "Action": "execute-api:Invoke", "Effect": effect, "Resource": format!("{api}/*") });
    json!({ "principalId": principal, "policyDocument": { "Version": "2012-10-17", "Statement": [statement] } })
}
