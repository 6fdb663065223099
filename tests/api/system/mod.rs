mod docs;
mod healthz;
mod openapi;
mod readyz;
mod redoc;
mod root;
