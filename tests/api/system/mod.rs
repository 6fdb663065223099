mod docs;
mod healthz;
mod jwks;
mod openapi;
mod openid_configuration;
mod readyz;
mod redoc;
mod root;
