"""Short messages as the air interface sees them: alphabets, parts and their headers."""

from mesh.sms.data_coding import DataCoding
from mesh.sms.reassembly import Reassembler
from mesh.sms.segments import Encoding, Segments, segment
from mesh.sms.udh import Concatenation

__all__ = ["Concatenation", "DataCoding", "Encoding", "Reassembler", "Segments", "segment"]
