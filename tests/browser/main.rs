//! Pages and mails as people meet them: in a browser, on a phone, in light and in dark.

mod browser;
mod docs;
mod mails;
mod pages;
