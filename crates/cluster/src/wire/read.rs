//! The decoding that the derived implementations do not cover: `null`, times, and the bounds of a
//! pod.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use jiff::Timestamp;
use prost::Message;
use serde::{Deserialize, Deserializer, de};

use super::{Pod, Time};
use crate::protobuf::Fields;

/// The most containers, conditions and other parts of one pod, in protobuf all together, in JSON in
/// each list.
///
/// The bound protects against a hostile cluster: a few bytes on the wire become a large item in
/// memory, and each container is searched for among the statuses. No real pod comes near it.
pub(crate) const MAX_PARTS: usize = 2_000;

/// The reason why bytes are not a pod.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error(transparent)]
    Protobuf(#[from] prost::DecodeError),
    #[error("one of its times is beyond the year 9999 or before -9999")]
    Time,
    #[error("it has more than {MAX_PARTS} parts")]
    TooMany,
}

impl Pod {
    /// Reads a complete `Pod` message, with the same result as from the pod's JSON.
    pub(crate) fn from_protobuf(message: &[u8]) -> Result<Self, Malformed> {
        let sections = Fields::new(message).map_while(Result::ok);
        let parts = sections.flat_map(|(_, section)| Fields::new(section.bytes()));
        if parts.take(MAX_PARTS + 1).count() > MAX_PARTS {
            return Err(Malformed::TooMany);
        }
        let mut pod = Self::decode(message)?;
        let meta = &mut pod.metadata;
        normalize_time(&mut meta.creation_timestamp)?;
        normalize_time(&mut meta.deletion_timestamp)?;
        let statuses = &mut pod.status.container_statuses;
        for container in statuses.iter_mut().chain(&mut pod.status.init_container_statuses) {
            for state in [&mut container.state, &mut container.last_state] {
                if let Some(terminated) = &mut state.terminated {
                    normalize_time(&mut terminated.finished_at)?;
                }
            }
        }
        Ok(pod)
    }
}

/// Converts a time from protobuf to the value that JSON would have. In protobuf, a time that is not
/// a pointer in Go is always present, and is empty where JSON has `null`.
fn normalize_time(time: &mut Option<Time>) -> Result<(), Malformed> {
    match time {
        Some(read) if *read == Time::default() => *time = None,
        Some(read) if Timestamp::from_second(read.seconds).is_err() => return Err(Malformed::Time),
        _ => {}
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                let time: Timestamp = text.parse().map_err(E::custom)?;
                Ok(Time {
                    seconds: time.as_second(),
                })
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

/// Reads `null` as the default, as Go does.
///
/// `serde_with` has this helper, but one helper is not worth a dependency.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a list of at most [`MAX_PARTS`] items. `null` counts as an empty list.
pub(super) fn bounded_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Items<T>(Vec<T>);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_seq(Visitor(PhantomData)).map(Items)
        }
    }

    struct Visitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MAX_PARTS} items")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(item) = items.next_element()? {
                if read.len() == MAX_PARTS {
                    return Err(de::Error::invalid_length(MAX_PARTS + 1, &self));
                }
                read.push(item);
            }
            Ok(read)
        }
    }

    Ok(Option::<Items<T>>::deserialize(deserializer)?.map_or_else(Vec::new, |items| items.0))
}

/// Reads a map of at most [`MAX_PARTS`] texts. `null` counts as an empty map.
pub(super) fn bounded_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Visitor;

    impl<'de> de::Visitor<'de> for Visitor {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a map of at most {MAX_PARTS} texts")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut read = BTreeMap::new();
            let mut count = 0;
            while let Some((key, text)) = entries.next_entry::<String, Option<String>>()? {
                if count == MAX_PARTS {
                    return Err(de::Error::invalid_length(MAX_PARTS + 1, &self));
                }
                count += 1;
                read.insert(key, text.unwrap_or_default());
            }
            Ok(read)
        }
    }

    deserializer.deserialize_any(Visitor)
}

/// Reads one annotation and skips all others; `None` if it is absent or `null`.
pub(crate) fn annotation<'de, D: Deserializer<'de>>(deserializer: D, name: &str) -> Result<Option<String>, D::Error> {
    struct Visitor<'a>(&'a str);

    impl<'de> de::Visitor<'de> for Visitor<'_> {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("annotations")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(key) = entries.next_key::<String>()? {
                if key == self.0 {
                    found = entries.next_value()?;
                } else {
                    entries.next_value::<de::IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    deserializer.deserialize_any(Visitor(name))
}
