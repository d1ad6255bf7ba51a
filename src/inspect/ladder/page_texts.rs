//! Texts of the page that its caller knows.

/// Texts of the caller: the name of the capture, and of options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageTexts<'a> {
    /// The capture.
    pub source: &'a str,
    /// The selection of packets, if there is one.
    pub selection: Option<&'a str>,
    /// The option that takes a filter, and those of a period.
    pub filter_option: &'a str,
    pub since_option: &'a str,
    pub until_option: &'a str,
    /// The option that prints one connection.
    pub conversation_option: &'a str,
}
