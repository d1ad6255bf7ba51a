//! `--topics FILE.csv`: a topic on each line, with its QoS and its weight or rate. The first line names the columns.

use super::value_parsers;
use crate::bench::plan::RunId;
use crate::bench::rate::Rate;
use crate::bench::topic_list::{ListedTopic, TopicList};
use crate::bench::topics::Topics;
use crate::cli::{Error, values};
use crate::input_file;
use crate::protocol::Qos;
use csv::{ReaderBuilder, StringRecord, Trim};
use std::collections::HashMap;
use std::path::Path;

/// The maximum number of topics.
const MAX_TOPICS: usize = 10_000;

/// The maximum weight.
const MAX_WEIGHT: u64 = 1_000_000_000;

/// Parts of a message per second, so that slow rates have a weight.
const PARTS_PER_MESSAGE: f64 = 1e6;

const KNOWN: &str = "use topic, qos, and weight or rate";

/// The topics of a CSV file, one per row.
pub(super) struct TopicsFile {
    pub(super) list: TopicList,
    /// The sum of the rates, if the file has them.
    pub(super) rate: Option<Rate>,
}

/// The group that the topics are for.
pub(super) struct Publishers {
    pub(super) run: RunId,
    pub(super) count: u32,
    /// The QoS of topics without one.
    pub(super) qos: Qos,
}

/// Reads a file. `option` is its option or key, for messages.
///
/// # Errors
/// If it cannot be read, or a line is invalid.
pub(super) fn read(option: &'static str, path: &Path, publishers: &Publishers) -> Result<TopicsFile, Error> {
    let text = input_file::read_utf8(path, input_file::LIMIT)
        .map_err(|error| Error::unreadable(option, path, &error))?;
    parse(&text, publishers).map_err(|problem| Error::content(option, path, problem))
}

fn parse(text: &str, publishers: &Publishers) -> Result<TopicsFile, String> {
    let is_row = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
    let mut texts = (1_u64..).zip(text.lines()).filter(|(_, line)| is_row(line));
    let (line, header) =
        texts.next().ok_or_else(|| format!("it is empty; name the columns first: {KNOWN}"))?;
    let columns = cells(header).and_then(|header| Columns::find(&header));
    let columns = columns.map_err(|problem| format!("line {line}: {problem}"))?;
    let (mut rows, mut lines, mut total) = (Vec::new(), HashMap::new(), 0.0);
    for (line, text) in texts {
        let row = cells(text).and_then(|record| columns.row(&record, publishers));
        let row = row.map_err(|problem| format!("line {line}: {problem}"))?;
        if let Some(first) = lines.insert(row.topic.topics.text().to_owned(), line) {
            return Err(format!(
                "lines {first} and {line} have the same topic {:?}",
                row.topic.topics.text()
            ));
        }
        if rows.len() == MAX_TOPICS {
            return Err(format!("line {line}: more than {MAX_TOPICS} topics"));
        }
        total += row.rate.map(Rate::as_per_second).unwrap_or_default();
        rows.push((row.topic, row.weight));
    }
    let rate = match columns.rate {
        Some(_) if !rows.is_empty() => Some(
            Rate::per_second(total)
                .ok_or_else(|| format!("the sum of the rates exceeds {}/s", Rate::HIGHEST))?,
        ),
        _ => None,
    };
    let list = TopicList::new(rows, publishers.run.0.into(), crc32(text.as_bytes()));
    let list = list.ok_or_else(|| "it has no topics; add a line such as a/{i} after the first".to_owned())?;
    Ok(TopicsFile { list, rate })
}

/// The cells of a line.
fn cells(line: &str) -> Result<StringRecord, String> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(line.as_bytes());
    reader.records().next().unwrap_or_else(|| Ok(StringRecord::new())).map_err(|error| error.to_string())
}

/// A line of the file.
struct Row {
    topic: ListedTopic,
    weight: u64,
    rate: Option<Rate>,
}

/// The positions of the columns.
struct Columns {
    topic: usize,
    qos: Option<usize>,
    weight: Option<usize>,
    rate: Option<usize>,
    count: usize,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Columns, String> {
        let (mut topic, mut qos, mut weight, mut rate) = (None, None, None, None);
        for (index, name) in header.iter().enumerate() {
            let column = match name.to_ascii_lowercase().as_str() {
                "topic" => &mut topic,
                "qos" => &mut qos,
                "weight" => &mut weight,
                "rate" => &mut rate,
                _ => return Err(format!("unknown column {name:?}; {KNOWN}")),
            };
            if column.replace(index).is_some() {
                return Err(format!("duplicate column {name:?}"));
            }
        }
        if weight.is_some() && rate.is_some() {
            return Err("weight and rate exclude each other".to_owned());
        }
        let topic = topic.ok_or_else(|| format!("no column topic; {KNOWN}"))?;
        Ok(Columns { topic, qos, weight, rate, count: header.len() })
    }

    fn row(&self, record: &StringRecord, publishers: &Publishers) -> Result<Row, String> {
        if record.len() != self.count {
            return Err(format!("it has {} columns, but the first line has {}", record.len(), self.count));
        }
        let cell = |column: Option<usize>| {
            column.and_then(|index| record.get(index)).filter(|text| !text.is_empty())
        };
        let template = cell(Some(self.topic)).ok_or("the topic is empty")?;
        let topics = Topics::new(template, publishers.run, publishers.count, 0);
        let topics = topics.map_err(|error| format!("topic {template}: {error}"))?;
        let qos = match cell(self.qos) {
            Some(text) => values::qos(text).map_err(|problem| format!("qos {text}: {problem}"))?,
            None => publishers.qos,
        };
        let rate = match (self.rate, cell(self.rate)) {
            (None, _) => None,
            (Some(_), None) => return Err("the rate is empty".to_owned()),
            (Some(_), Some(text)) => {
                Some(value_parsers::rate(text).map_err(|problem| format!("rate {text}: {problem}"))?)
            }
        };
        let weight = match (rate, cell(self.weight)) {
            (Some(rate), _) => (rate.as_per_second() * PARTS_PER_MESSAGE).ceil() as u64,
            (None, Some(text)) => weight(text)?,
            (None, None) => 1,
        };
        Ok(Row { topic: ListedTopic { topics, qos }, weight, rate })
    }
}

fn weight(text: &str) -> Result<u64, String> {
    let weight = text.parse().ok().filter(|weight| (1..=MAX_WEIGHT).contains(weight));
    weight.ok_or_else(|| {
        format!("weight {text}: {}", values::expected(format!("an integer from 1 to {MAX_WEIGHT}")))
    })
}

/// The checksum of IEEE 802.3, bit by bit: the files are small.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<TopicsFile, String> {
        parse(text, &Publishers { run: RunId(7), count: 4, qos: Qos::AtLeastOnce })
    }

    #[test]
    fn columns_come_in_any_order_and_have_defaults() {
        let file = parsed("# a comment\nqos,topic\n2,a/{i}\n,b/{seq}\n").unwrap();
        assert_eq!((file.list.len(), file.list.qos()), (2, (Qos::AtLeastOnce, Qos::ExactlyOnce)));
        assert!(file.rate.is_none());
        let file = parsed("topic,rate\na,30/min\n\"b, c\",1k\n").unwrap();
        assert_eq!(file.rate.map(Rate::as_per_second), Some(1000.5));
    }

    #[test]
    fn every_mistake_has_a_line() {
        for (text, problem) in [
            ("topic,colour\n", "line 1: unknown column \"colour\"; use topic, qos, and weight or rate"),
            ("topic,topic\n", "line 1: duplicate column \"topic\""),
            ("qos\n1\n", "line 1: no column topic"),
            ("topic,weight,rate\n", "line 1: weight and rate exclude each other"),
            ("", "it is empty; name the columns first: use topic"),
            ("# topics\n\nqos\n", "line 3: no column topic"),
            ("topic\n", "it has no topics"),
            ("topic,qos\na\n", "line 2: it has 1 columns, but the first line has 2"),
            ("topic,qos\n,1\n", "line 2: the topic is empty"),
            ("topic\na\n\nb/+\n", "line 4: topic b/+: invalid topic b/+"),
            ("topic\na/#\n", "line 2: topic a/#: invalid topic a/#"),
            ("topic\na/{sequ}\n", "line 2: topic a/{sequ}: unknown placeholder {sequ}"),
            ("topic,qos\na,3\n", "line 2: qos 3: "),
            ("topic,weight\na,0\n", "line 2: weight 0: expected an integer from 1 to 1000000000"),
            ("topic,weight\na,1.5\n", "line 2: weight 1.5: "),
            ("topic,rate\na,\n", "line 2: the rate is empty"),
            ("topic,rate\na,fast\n", "line 2: rate fast: expected a rate"),
            ("topic\na\nb\na\n", "lines 2 and 4 have the same topic \"a\""),
        ] {
            let error = parsed(text).err().unwrap_or_else(|| panic!("{text} is accepted"));
            assert!(error.starts_with(problem), "{error} instead of {problem}");
        }
    }

    #[test]
    fn the_number_of_topics_is_bounded() {
        let rows: String = (0..=MAX_TOPICS).map(|number| format!("t/{number}\n")).collect();
        assert_eq!(parsed(&format!("topic\n{rows}")).err().unwrap(), "line 10002: more than 10000 topics");
    }

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
