//! A device of an IoT hub, or a module of one: its names and topics, which all follow from its identifier.

use std::fmt;

/// The version of IoT Hub's interface that user names ask for.
const API_VERSION: &str = "2021-04-12";

/// The longest identifier of a device or a module, in characters.
const LONGEST_ID: usize = 128;

/// The characters that identifiers may have besides ASCII letters and digits.
const SPECIAL: &str = "-.%_*?!(),:=@$'";

/// A device, or a module on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    id: String,
    module: Option<String>,
}

impl Device {
    /// Parses `DEVICE` or `DEVICE/MODULE`.
    ///
    /// # Errors
    /// A description of valid identifiers.
    pub(crate) fn parse(text: &str) -> Result<Device, String> {
        let (id, module) =
            text.split_once('/').map_or((text, None), |(device, module)| (device, Some(module)));
        for id in [Some(id), module].into_iter().flatten() {
            let is_fit = |character: char| character.is_ascii_alphanumeric() || SPECIAL.contains(character);
            if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(is_fit) {
                return Err(format!(
                    "expected DEVICE or DEVICE/MODULE, each of 1 to {LONGEST_ID} letters, digits and {SPECIAL}"
                ));
            }
        }
        Ok(Device { id: id.to_owned(), module: module.map(str::to_owned) })
    }

    /// The client identifier that it must have.
    pub(crate) fn client_id(&self) -> String {
        self.to_string()
    }

    /// The user name by which it logs in to this hub.
    pub(crate) fn username(&self, hub: &str) -> String {
        format!("{hub}/{self}/?api-version={API_VERSION}")
    }

    /// The resource URI that its SAS tokens are for.
    pub(crate) fn resource(&self, hub: &str) -> String {
        match &self.module {
            None => format!("{hub}/devices/{}", self.id),
            Some(module) => format!("{hub}/devices/{}/modules/{module}", self.id),
        }
    }

    /// The topic for its messages; properties may follow.
    pub(crate) fn telemetry_topic(&self) -> String {
        match &self.module {
            None => format!("devices/{}/messages/events/", self.id),
            Some(module) => format!("devices/{}/modules/{module}/messages/events/", self.id),
        }
    }

    /// The filter for messages to it.
    pub(crate) fn command_filter(&self) -> String {
        match &self.module {
            None => format!("devices/{}/messages/devicebound/#", self.id),
            Some(module) => format!("devices/{}/modules/{module}/#", self.id),
        }
    }

    /// All filters of its own.
    pub(crate) fn command_filters(&self) -> Vec<String> {
        let inputs =
            self.module.as_ref().map(|module| format!("devices/{}/modules/{module}/inputs/#", self.id));
        std::iter::once(self.command_filter()).chain(inputs).collect()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        self.module.as_ref().map_or(Ok(()), |module| write!(f, "/{module}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_its_names_and_topics() {
        let device = Device::parse("MyDevice01").unwrap();
        let hub = "contoso.azure-devices.net";
        assert_eq!(device.client_id(), "MyDevice01");
        assert_eq!(device.username(hub), "contoso.azure-devices.net/MyDevice01/?api-version=2021-04-12");
        assert_eq!(device.resource(hub), "contoso.azure-devices.net/devices/MyDevice01");
        assert_eq!(device.telemetry_topic(), "devices/MyDevice01/messages/events/");
        assert_eq!(device.command_filter(), "devices/MyDevice01/messages/devicebound/#");
    }

    #[test]
    fn a_module_has_others() {
        let module = Device::parse("edge/filter").unwrap();
        assert_eq!(module.client_id(), "edge/filter");
        assert_eq!(module.username("hub"), "hub/edge/filter/?api-version=2021-04-12");
        assert_eq!(module.resource("hub"), "hub/devices/edge/modules/filter");
        assert_eq!(module.telemetry_topic(), "devices/edge/modules/filter/messages/events/");
        assert_eq!(module.command_filter(), "devices/edge/modules/filter/#");
    }

    #[test]
    fn invalid_identifiers_are_refused() {
        let long = "a".repeat(129);
        for text in ["", "/", "a/", "/b", "a/b/c", "a+", "a#", "caf\u{e9}", "a b", "a\n", &long] {
            assert!(Device::parse(text).is_err(), "{text}");
        }
        assert!(Device::parse(&"a".repeat(128)).is_ok());
    }
}
