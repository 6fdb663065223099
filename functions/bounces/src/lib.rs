//! Function `bounces`: takes the events that SES sends by EventBridge, and remembers each address that is dead, or whose
//! owner reported a mail as spam, so that the mailer leaves it alone. A sender who goes on loses the right to send.
//!
//! What is remembered is a keyed hash; no table holds the address.

use lambda_runtime::{Error, LambdaEvent};
use serde::Deserialize;
use shared::{
    Platform,
    clock::Clock,
    crypto::{Derivation, Keyring},
    domain::EmailAddress,
    invocation,
    store::{Suppression, Suppressions},
    telemetry::{self, Meter, Metric},
};

/// What the function may touch.
#[derive(Clone)]
pub struct Bounces {
    clock: Clock,
    meter: Meter,
    derivation: Keyring<Derivation>,
    suppressions: Suppressions,
}

/// An event of EventBridge, of which SES wrote the detail.
///
/// <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>
#[derive(Debug, Deserialize)]
struct Event {
    detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "eventType")]
enum Detail {
    Bounce {
        bounce: Bounce,
    },
    Complaint {
        complaint: Complaint,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    bounced_recipients: Vec<Recipient>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complaint_feedback_type: Option<String>,
    complained_recipients: Vec<Recipient>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

impl Event {
    /// Whom no more mail goes to, and why. A bounce that passes, such as a full mailbox, is none.
    fn suppressed(self) -> (Suppression, Vec<Recipient>) {
        match self.detail {
            Detail::Bounce { bounce } if bounce.bounce_type == "Permanent" => {
                (Suppression::Bounced, bounce.bounced_recipients)
            }
            // `not-spam` takes a report back.
            Detail::Complaint { complaint } if complaint.complaint_feedback_type.as_deref() != Some("not-spam") => {
                (Suppression::Complained, complaint.complained_recipients)
            }
            Detail::Bounce { .. } | Detail::Complaint { .. } | Detail::Other => (Suppression::Bounced, Vec::new()),
        }
    }
}

impl Bounces {
    /// Reads the derivation keys.
    ///
    /// # Errors
    /// Where a setting or the keys are not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, Error> {
        Ok(Self {
            clock: platform.clock.clone(),
            meter: Meter::new(&platform.settings, &platform.clock),
            derivation: Keyring::load(platform).await?,
            suppressions: Suppressions::new(platform)?,
        })
    }

    /// Remembers whom an event is about.
    ///
    /// # Errors
    /// Where the event cannot be read, or the store cannot answer: EventBridge's copy is then tried again, and goes to the
    /// failure queue in the end.
    pub async fn handle(&self, event: LambdaEvent<serde_json::Value>) -> Result<(), Error> {
        let LambdaEvent { payload, context } = event;
        invocation::observed(&self.meter, &context, self.remember(payload)).await
    }

    async fn remember(&self, event: serde_json::Value) -> Result<(), Error> {
        let (why, recipients) = serde_json::from_value::<Event>(event)?.suppressed();
        for recipient in recipients {
            // An address that we cannot read is none that we write to.
            let Ok(address) = EmailAddress::parse(&recipient.email_address) else { continue };
            let lookup = self.derivation.fresh().await?.mailbox(&address);
            self.suppressions.add(&lookup, why, self.clock.now()).await?;
            telemetry::count(match why {
                Suppression::Bounced => Metric::Bounces,
                Suppression::Complained => Metric::Complaints,
            });
        }
        Ok(())
    }
}
