"""XML: what reading a document would fetch, and what a model in XML says."""

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look

PMML = '<?xml version="1.0"?>\n{}<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header>{}</Header><TreeModel/></PMML>'


def pmml(before="", inside=""):
    return PMML.format(before, inside).encode()


def test_an_ordinary_document_is_let_through():
    assert is_quiet(look(pmml(), "m.pmml"))
    assert is_quiet(look(pmml(inside='<Extension name="a" value="b"/>'), "m.pmml"))


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY x PUBLIC "-//X//Y" "http://a.example/x">',
        '<!ENTITY % x SYSTEM "http://a.example/x.dtd"> %x;',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_entity_from_outside_is_critical(declared, encoding):
    text = PMML.replace('"1.0"', f'"1.0" encoding="{encoding}"').format(f"<!DOCTYPE PMML [{declared}]>", "")

    assert Level.CRITICAL in levels(look(text.encode(encoding), "m.pmml"), "xml/external-entity")


def test_a_document_type_from_outside_is_critical():
    artifact = look(pmml('<!DOCTYPE PMML SYSTEM "http://a.example/x.dtd">'), "m.pmml")

    assert levels(artifact, "xml/external-entity") == {Level.CRITICAL}


def test_entities_made_of_entities_are_told_and_never_expanded():
    declared = '<!ENTITY a "lol">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
    )

    artifact = look(pmml(f"<!DOCTYPE PMML [{declared}]>", "&m;"), "m.pmml")

    assert Level.HIGH in levels(artifact, "xml/entity")


def test_any_document_type_of_a_model_is_told():
    assert levels(look(pmml('<!DOCTYPE PMML [<!ENTITY a "b">]>'), "m.pmml"), "xml/entity") == {Level.MEDIUM}
    assert "xml/document-type" in found(look(pmml("<!DOCTYPE PMML>"), "m.pmml"))


def test_well_known_document_types_are_let_through():
    plist = (
        b'<?xml version="1.0"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" '
        b'"http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0"><dict/></plist>'
    )

    assert not any(rule.startswith("xml/") for rule in found(look(plist, "Info.plist")))


def test_an_inclusion_is_told():
    inside = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'

    assert levels(look(pmml(inside=inside), "m.pmml"), "xml/include") == {Level.HIGH}


def test_a_script_of_a_stylesheet_is_told():
    sheet = (
        b'<?xml version="1.0"?><xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" '
        b'xmlns:m="urn:schemas-microsoft-com:xslt"><m:script>x</m:script></xsl:stylesheet>'
    )

    assert levels(look(sheet, "s.xsl"), "xml/script") == {Level.HIGH}


def test_a_document_that_was_cut_is_unknown_and_a_broken_one_malformed():
    assert "scan/truncated" in found(look(pmml()[:-9], "m.pmml"))
    assert "scan/malformed" in found(look(pmml().replace(b"</Header>", b"</Body>"), "m.pmml"))


def openvino(layer):
    return f'<?xml version="1.0"?><net name="m" version="11"><layers>{layer}</layers></net>'.encode()


def test_an_openvino_network_is_judged_by_its_operators():
    assert is_quiet(look(openvino('<layer id="0" name="a" type="Convolution" version="opset1"/>'), "m.xml"))
    artifact = look(openvino('<layer id="0" name="a" type="Decrypt" version="nobodys"/>'), "m.xml")
    assert levels(artifact, "openvino/extension") == {Level.MEDIUM}


def test_weights_of_an_openvino_network_lie_in_its_file():
    layer = '<layer id="0" name="a" type="Const" version="opset1"><data offset="8" size="16"/></layer>'

    assert is_quiet(look(openvino(layer), "m.xml", beside={"m.xml": b"", "m.bin": bytes(24)}))
    assert "openvino/outside-weights" in found(look(openvino(layer), "m.xml", beside={"m.bin": bytes(20)}))


def test_nesting_without_end_is_bounded():
    assert "scan/over-budget" in found(look(b"<?xml version='1.0'?>" + b"<a>" * 50_000, "m.xml"))


def test_an_encoding_that_there_is_not_is_malformed_and_one_that_others_read_is_unknown():
    for encoding, rule in (("UTG-8", "scan/malformed"), ("gb2312", "scan/unsupported"), ("rot13", "scan/")):
        document = f'<?xml version="1.0" encoding="{encoding}"?><PMML version="4.4"></PMML>'
        broken = found(look(document.encode(), "a.pmml"))
        assert any(one.startswith(rule) for one in broken)
        assert "scan/fault" not in broken
