mod follow_verification_link;
mod login;
mod me;
mod register;
mod verify_email;
mod verify_email_request;
