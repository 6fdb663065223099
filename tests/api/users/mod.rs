mod home;
mod is_admin;
