//! Under which names the program was called, which decides exit statuses and a few habits.

/// Whose tool the user sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// `mq pub`, `mq sub`...: our own rules.
    #[default]
    Mq,
    /// `mosquitto_pub`, `mosquitto_sub`...: what scripts written for those tools expect.
    Mosquitto,
}
