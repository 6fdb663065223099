//! SES v2: takes `SendEmail` as the SDK sends it, and keeps a mailbox. Addresses of SES's mailbox simulator bounce and
//! complain, as at AWS.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    Answer, Moment,
    mailbox::{Letter, Mailbox},
};

/// The event that a mail to an address of the mailbox simulator brings about; none for any other.
///
/// <https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html>
pub fn simulated(request: &Value) -> Option<Value> {
    let to = request["Destination"]["ToAddresses"][0].as_str()?;
    let (name, _) = to.split_once('@').filter(|(_, domain)| *domain == "simulator.amazonses.com")?;
    let recipients = json!([{ "emailAddress": to }]);
    let (kind, detail) = match name.split('+').next()? {
        "bounce" => (
            "Email Bounced",
            json!({ "eventType": "Bounce", "bounce": { "bounceType": "Permanent", "bouncedRecipients": recipients } }),
        ),
        "complaint" => (
            "Email Complaint Received",
            json!({ "eventType": "Complaint", "complaint": { "complainedRecipients": recipients } }),
        ),
        _ => return None,
    };
    Some(json!({ "source": "aws.ses", "detail-type": kind, "detail": detail }))
}

/// Answers a call.
pub fn call(mailbox: &Mailbox, operation: &str, request: &Value, now: Moment) -> Answer {
    if operation != "SendEmail" {
        return Answer::refused(StatusCode::NOT_FOUND, "NotFoundException", "not played here");
    }
    let content = &request["Content"]["Simple"];
    let text = |value: &Value| value["Data"].as_str().map(str::to_owned);
    let to = request["Destination"]["ToAddresses"][0].as_str().map(str::to_owned);
    let parts = (to, text(&content["Subject"]), text(&content["Body"]["Text"]), text(&content["Body"]["Html"]));
    let (Some(to), Some(subject), Some(text), Some(html)) = parts else {
        return Answer::refused(StatusCode::BAD_REQUEST, "BadRequestException", "a part is missing");
    };
    let id = uuid::Uuid::new_v4().to_string();
    let letter = Letter { id: id.clone(), to, subject, text, html, sent_at: now };
    match mailbox.take(letter) {
        Ok(()) => Answer::new(StatusCode::OK, json!({ "MessageId": id })),
        Err(error) => Answer::refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &error.to_string()),
    }
}
