use axum::extract::Request;

use crate::{
    Platform,
    aws::reason,
    crypto::{Keyring, OriginSecret},
};

/// What the distribution adds to a request: the secret that proves the way, and the client's address.
const SECRET: &str = "x-origin-secret";
const CLIENT: &str = "x-client-address";

/// The distribution before the API, where the stack has one.
#[derive(Clone)]
pub(super) struct Edge(Option<Keyring<OriginSecret>>);

/// The client's address, as the distribution saw it.
#[derive(Clone)]
pub(super) struct ClientAddress(pub String);

impl Edge {
    /// The edge of this stack. Its secret is read with the first request that names one.
    pub fn new(platform: &Platform) -> Self {
        let has_one = platform.settings.resource("ORIGIN_SECRET").is_ok();
        Self(has_one.then(|| Keyring::new(platform)))
    }

    /// Notes the client's address of a request that is proved to have come through the distribution. Of any other, the
    /// header is worth nothing: clients can write it.
    pub async fn note(&self, request: &mut Request) {
        let Some((keyring, (secret, client))) = self.0.as_ref().zip(told(request)) else { return };
        // Boxed, so that no request carries the room that reading a secret takes.
        match Box::pin(keyring.fresh()).await {
            Ok(origin) if origin.proves(&secret) => drop(request.extensions_mut().insert(ClientAddress(client))),
            Ok(_) => tracing::warn!("a request names a wrong origin secret"),
            Err(error) => tracing::error!(reason = reason(&error), "the origin secret is not to be had"),
        }
    }
}

/// The secret and the client's address that a request names.
fn told(request: &Request) -> Option<(String, String)> {
    let header = |name| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    header(SECRET).zip(header(CLIENT))
}
