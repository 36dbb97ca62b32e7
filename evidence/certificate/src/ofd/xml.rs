//! A small strict tree of foreign XML: elements by local name, attributes, text. No DTD, no entities but the five.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

/// An element.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Local name.
    name: String,
    attributes: Vec<(String, String)>,
    /// Its own text, without that of elements inside.
    pub(super) text: String,
    inside: Vec<Self>,
}

impl Node {
    /// Reads a document; what is wrong with it, in words, if it is none.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = str::from_utf8(bytes).map_err(|_| "XML that is not UTF-8")?;
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = vec![Self::default()];
        let mut count = 0_usize;
        loop {
            match reader.read_event().map_err(|_| "broken XML")? {
                Event::Start(start) => {
                    count = count.saturating_add(1);
                    if open.len() > DEPTH_MAX || count > NODES_MAX {
                        return Err("XML with too many elements");
                    }
                    open.push(Self::started(&start)?);
                }
                Event::Empty(start) => {
                    count = count.saturating_add(1);
                    if count > NODES_MAX {
                        return Err("XML with too many elements");
                    }
                    let node = Self::started(&start)?;
                    open.last_mut().ok_or("broken XML")?.inside.push(node);
                }
                Event::End(_) => {
                    let node = open.pop().ok_or("broken XML")?;
                    open.last_mut().ok_or("broken XML")?.inside.push(node);
                }
                Event::Text(text) => {
                    let text = text.xml10_content();
                    open.last_mut().ok_or("broken XML")?.text.push_str(&text);
                }
                Event::GeneralRef(reference) => {
                    let text = resolve_predefined_entity(&reference).ok_or("an entity in XML")?;
                    open.last_mut().ok_or("broken XML")?.text.push_str(text);
                }
                Event::Decl(_) | Event::Comment(_) => {}
                Event::Eof => break,
                Event::CData(_) | Event::PI(_) | Event::DocType(_) => {
                    return Err("XML with a document type, CDATA or an instruction");
                }
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(mut document), true) if document.inside.len() == 1 => {
                document.inside.pop().ok_or("broken XML")
            }
            _ => Err("broken XML"),
        }
    }

    fn started(start: &BytesStart<'_>) -> Result<Self, &'static str> {
        let name = start.local_name().as_ref().to_owned();
        let mut node = Self { name, ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| "broken XML")?;
            let name = attribute.key.local_name().as_ref().to_owned();
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| "broken XML")?
                .into_owned();
            node.attributes.push((name, value));
        }
        Ok(node)
    }

    /// The elements of this name inside.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.inside.iter().filter(move |node| node.name == name)
    }

    /// The only element of this name inside; of several none is meant.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        let mut found = self.inside.iter().filter(|node| node.name == name);
        match (found.next(), found.next()) {
            (Some(node), None) => Some(node),
            _ => None,
        }
    }

    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

const DEPTH_MAX: usize = 16;
const NODES_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_text_are_found_by_local_name() {
        let node = Node::parse(
            b"<?xml version=\"1.0\"?><o:A x=\"1&amp;2\"><o:B>t&lt;</o:B><C/><C/></o:A>",
        );
        let node = node.unwrap();
        assert_eq!((node.name.as_str(), node.attribute("x")), ("A", Some("1&2")));
        assert_eq!(node.child("B").unwrap().text, "t<");
        assert!(node.child("C").is_none() && node.children("C").count() == 2);
    }

    #[test]
    fn what_could_hide_something_is_refused() {
        for bad in [
            "",
            "<a>",
            "<a/><b/>",
            "<a></b>",
            "<!DOCTYPE a><a/>",
            "<a>&x;</a>",
            "<a><![CDATA[x]]></a>",
            "<?php x?><a/>",
            "<a x=1/>",
        ] {
            assert!(Node::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Node::parse("<a>".repeat(20).as_bytes()).is_err());
    }
}
