"""Echo files made on the spot: a speckled sector that beats, in every container that the readers know."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

EXPLICIT = "1.2.840.10008.1.2.1"
US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"
SECRET = "CANARY-7f3a"


def sector_mask(height: int = 96, width: int = 128) -> np.ndarray:
    """A fan with its apex at the top centre."""
    rows, columns = np.mgrid[:height, :width]
    radius = np.hypot(rows - 4, columns - width / 2)
    angle = np.arctan2(np.abs(columns - width / 2), np.maximum(rows - 4, 1e-6))
    return (radius < height - 12) & (angle < 0.75) & (rows >= 4)


def fan_frames(n_frames: int = 6, height: int = 96, width: int = 128, *, seed: int = 5) -> np.ndarray:
    """Grey uint8 (n_frames, height, width): moving speckle in the fan, still letters outside it."""
    rng = np.random.default_rng(seed)
    inside = sector_mask(height, width)
    frames = np.where(inside, rng.integers(20, 200, (n_frames, height, width)), 0).astype(np.uint8)
    frames[:, 2:10, 2:24:3] = 220
    frames[:, height - 8 : height - 3, 10 : width - 10 : 2] = 180
    return frames


def smooth_frames(n_frames: int = 6, height: int = 96, width: int = 128) -> np.ndarray:
    """RGB uint8 (n_frames, height, width, 3): gentle colour ramps that lossy coding keeps."""
    rows, columns = np.mgrid[:height, :width]
    frames = np.empty((n_frames, height, width, 3), np.uint8)
    for i in range(n_frames):
        frames[i, ..., 0] = 40 + rows * 150 // height
        frames[i, ..., 1] = 60 + columns * 100 // width
        frames[i, ..., 2] = 30 + 10 * i
    return frames


def region(box: tuple[int, int, int, int], delta_cm: tuple[float, float] = (0.05, 0.04), **changes: Any) -> Any:
    """One ultrasound region item; box is (top, left, last row, last column), delta_cm (row, column)."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = 1, 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaY, item.PhysicalDeltaX = delta_cm
    item.RegionLocationMinY0, item.RegionLocationMinX0, item.RegionLocationMaxY1, item.RegionLocationMaxX1 = box
    for keyword, value in changes.items():
        setattr(item, keyword, value)
    return item


def header(shape: tuple[int, ...], photometric: str, **tags: Any) -> Any:
    """A complete ultrasound header for frames of a shape (n, height, width[, 3])."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, generate_uid

    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = UID(US_MULTIFRAME)
    ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    ds.SOPClassUID, ds.SOPInstanceUID = UID(US_MULTIFRAME), ds.file_meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.PatientName, ds.PatientID = "US", f"{SECRET}^Name", SECRET
    ds.PatientBirthDate, ds.PatientSex = "19600229", "F"
    ds.NumberOfFrames, ds.Rows, ds.Columns = shape[0], shape[1], shape[2]
    ds.SamplesPerPixel = 3 if len(shape) == 4 else 1
    if ds.SamplesPerPixel == 3:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = photometric
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.FrameTime = "40"
    for keyword, value in tags.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def save(ds: Any, path: Path, *, syntax: str = EXPLICIT) -> Path:
    """Write a dataset in a transfer syntax."""
    from pydicom.uid import UID

    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.save_as(path, enforce_file_format=True, implicit_vr=syntax == "1.2.840.10008.1.2",
               little_endian=syntax != "1.2.840.10008.1.2.2")  # fmt: skip
    return path


def dicom(
    path: Path, frames: np.ndarray, *, photometric: str | None = None, syntax: str = EXPLICIT, **tags: Any
) -> Path:
    """An uncompressed (or deflated) DICOM clip holding the samples as they are."""
    ds = header(frames.shape, photometric or ("RGB" if frames.ndim == 4 else "MONOCHROME2"), **tags)
    order = ">" if syntax == "1.2.840.10008.1.2.2" else "<"
    ds.PixelData = frames.astype(frames.dtype.newbyteorder(order)).tobytes()
    ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 else "OW"
    return save(ds, path, syntax=syntax)


def packed_dicom(
    path: Path, packed: list[bytes], shape: tuple[int, ...], photometric: str, syntax: str, **tags: Any
) -> Path:
    """A DICOM clip of encapsulated frames."""
    from pydicom.encaps import encapsulate

    ds = header(shape, photometric, **tags)
    ds.PixelData = encapsulate(packed)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return save(ds, path, syntax=syntax)


def jpeg(frame: np.ndarray) -> bytes:
    """A baseline JPEG of an RGB or grey frame."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def rle(frame: np.ndarray) -> bytes:
    """A frame in DICOM RLE."""
    from pydicom.pixels import get_encoder

    samples = 3 if frame.ndim == 3 else 1
    coded: bytes = get_encoder("1.2.840.10008.1.2.5").encode(
        frame.tobytes(), rows=frame.shape[0], columns=frame.shape[1], samples_per_pixel=samples, bits_allocated=8,
        bits_stored=8, number_of_frames=1, pixel_representation=0, planar_configuration=0,
        photometric_interpretation="RGB" if samples == 3 else "MONOCHROME2",
    )  # fmt: skip
    return coded


FOURCCS = {"mjpeg": "MJPG", "rawvideo": "I420", "huffyuv": "HFYU", "ffv1": "FFV1", "flv": "FLV1"}


def video(path: Path, frames: np.ndarray, *, codec: str = "mjpeg", rate: int = 25) -> Path:
    """A clip in the container of its suffix."""
    from pipeline.echo.readers.video import video_library

    cv2 = video_library()
    code = ("FMP4" if path.suffix == ".avi" else "mp4v") if codec == "mpeg4" else FOURCCS[codec]
    options = [cv2.VIDEOWRITER_PROP_IS_COLOR, int(frames.ndim == 4)]
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*code), float(rate), frames.shape[2:0:-1], options
    )
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1] if frame.ndim == 3 else frame))
    writer.release()
    return path


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of an AVI file."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def avi_of(packets: list[bytes], height: int, width: int, *, kind: bytes = b"vids", code: bytes = b"MJPG") -> bytes:
    """An AVI file around packets that are ready coded, at 25 a second."""
    n, name = len(packets), b"00dc" if kind == b"vids" else b"00wb"
    main = struct.pack("<14I", 40_000, 0, 0, 16, n, 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = kind + code + struct.pack("<IHHIIIIIIiIHHHH", 0, 0, 0, 0, 1, 25, 0, n, 0, -1, 0, 0, 0, width, height)
    coding = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, code, height * width * 3, 0, 0, 0, 0)
    if kind == b"auds":
        coding = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    streams = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", coding))
    headers = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + streams)
    body = b"AVI " + headers + chunk(b"LIST", b"movi" + b"".join(chunk(name, packet) for packet in packets))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def with_steps(content: bytes, steps_ms: list[int]) -> bytes:
    """An MP4 file of `video`, its frames at other distances."""
    unit_at = content.index(b"mdhd") + 16
    units_per_s = int.from_bytes(content[unit_at : unit_at + 4], "big")
    steps = [step_ms * units_per_s // 1000 for step_ms in steps_ms]
    at = content.index(b"stts") - 4
    old = int.from_bytes(content[at : at + 4], "big")
    entries = b"".join(struct.pack(">II", 1, step) for step in steps)
    table = struct.pack(">I4sII", 16 + len(entries), b"stts", 0, len(steps)) + entries
    changed = bytearray(content[:at] + table + content[at + old :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):  # the index lies behind the frames: no offset moves
        size_at = changed.index(name) - 4
        size = int.from_bytes(changed[size_at : size_at + 4], "big") + len(table) - old
        changed[size_at : size_at + 4] = size.to_bytes(4, "big")
    return bytes(changed).replace(b"edts", b"free")  # an edit list would cut what takes longer than before


H264_STEPS_MS = (40, 20, 60, 80, 30, 60)


def h264_video(path: Path) -> Path:
    """`smooth_frames(7)` in H.264 with B-frames and uneven times; kept coded, since not every OpenCV has an encoder."""
    path.write_bytes(zlib.decompress(base64.b85decode("".join(H264.split()))))
    return path


def nifti(
    path: Path,
    frames: np.ndarray,
    *,
    zooms: tuple[float, ...] = (0.3, 0.2, 0.02),
    units: tuple[str, str] = ("mm", "sec"),
) -> Path:
    """A NIfTI clip with axes (x, y, t)."""
    import nibabel

    image = nibabel.Nifti1Image(frames.transpose(2, 1, 0), np.eye(4), dtype=frames.dtype)
    image.header.set_zooms(zooms)
    image.header.set_xyzt_units(*units)
    nibabel.save(image, path)
    return path


H264 = """
c-nnc30TzD7S4bIRooR&P+}3WPZ(wc6pfETz^S5+ilDd*nIyvmGLw)5n5h<!hfC|TQt-L4h=BcEP*e~VE4WZApw^02+$vU|B8c=URK+U28SshL_I|lJ%RT
2m_uO-m3qcU9<IN1o(FO>zf&>bt3{AkK21X%;AnPInO(#GQL>UtFIP}i2ZiFC_8zh2+=j{-^YxTYy0R8Q-0?!qmMPmWKn2)u@wEi<1hztFFoDarL0W-=Xj
v;WK1Js3}IR34NfNOoC%hzg_0Vh$wzy|#N+@}DfA<X<Li{PclDfZ1u0*MnnEyICKt573O5rU2Ag@H8c05defU;*v9%`te_nhVYnx*loR$FmgNy}_d#ucZL
Lm*Y9ShfR)9w7)nCA@L|k1*qyTE#4naot@w<2dGm;ION)S2Xcr8wCGxDzwJUv0D|qs0Z!7bBFIMn&@{<&?W^a{1;?RUp6x!-D@-?-isLP(EezYP@K!0^2?
cyu234@o-fy-$P{0OBb3IZJrV9HL_8VWj6CcLzAN4M_s6jY%fQ`L}-HiuHz}ja$4hQIa?E+NLZ3NQ~%rG!XFz0sd6Qkc^S>FUy8;|osH$@r<3l+xbo}B}_
jYS!T>RAOZva3Dack#3UI1)!K&X)Rxq6s=*nOF)Qi44egI+g&vXKQN!Rv_y<o8FzB**Ak99>0H0b$Fv^J$%jWajQw@tAM>=jAjW~>gxkol^CeJXR3pzc`0
CJ_*Afl6Bt;SN;77P(DATLB9VK^Br?HT&-0AGw|8P<qFCs4nnI0YnvM1raK(DwKmi+?;Yr%a`NJ5hMKMGQgMLPQV4ToWG!~0U{U!bq7&W4lnIjO1N$xK(N
u_ewKp=X;1at9Pz)gS|&J0|^Tf^drR4f5b-~}5<6M<_4L@Dslu&6PbK%~Afre|pbssXN2m}d!!A~{3`PcTiuF&?O}I0GU9TR`#8Xd{8hq@GeKtV20o!*H=
ABUp3+#4#FLr{f47@sh#3o&_EpSfyw>7S#hm^H#@EBu2bdNMIvtiGh&@lo$3v8hL`HP+$b~S}LAJ%^Hk0FendX3>*>o)saR30SsAGu+g!ofe<#X)i7qjle
mRPag-5!v>Gjm3Xwpw5Fjr(oJf$-dR_~H(F|eKMAHmd?NTzpHI^^~Y((ZG>1H+H2Lwcz!w4gR#q)?l0$ZXBN6HeM9=NlZ=Ktv;K7x#3tPVDSPn!_Z0s;cs
P6EdX$siK3FJKt~*g{bg;yV#A98WNa0wx(yB+w9`h9DLi2kI|WQ}`QOiHJ36P-VN^BejFKtGK>v%eTY(R%v37%*q=$Z){`{QaEgO`T*yqFCRFzFa2+=L&v
tv75`gZ%b#e*pC&04*ZbF-Z(o2~HKD0#F6|FHxsO*)N1ZSAD*gA!XWAp@?+mb=E&W04)Kaco8hUEoxtN`|nvw!mwaTW9Dp2$~ed^__)<H*n`!p<79lxw}3
`km5)uH}*K~VYTGP2;fQxI~-ZONGW+$6^gdhNW1yGt%K&%NYYDYtKJHBS!rymKyzANQi{K68FX$#CbkkfNZrEX~#8iIW@lpYF9FNTJ=3@8VjXB<e6Msnk1
c$G?g5Z9d*K*xso*v^F@U{2x`fTC%um(r@*8wEprdDAG3X^HB?r>W3E|JQW_CVtp4owyxN1hvbmqrbaw7a`nbV>HVswXCF?7vnB;s{jhaO)>q$<{t&ci-^
Zubjt6!=_^0@UE+(+PtZ(zC>QwjQ8RE4~-pnkI<q0uI_n-N0lY7}G*;&1E=I<CARvnS<=3;W3=(w+T$Jr-7p;><16Dlure4pN#qdRIsmbr6le%`HEKAvc@
8E|B3W7^&E%d1j|y4sVj`A^Ijefpn$-7sPZcB8QI>`>X9{L<p=Zy%2j{Bn)+AVo<12=%e=3wOZ*7oNtt1(NN*RTw?9A8AjWoh)Z>yFdLcJ#y&2As((a`J)
Q5<p~9s+$&cIccyZyn{l18Fs$<T8+I$5Pc91{$g;D4FKziT#eKn=>*TZO@}fdMD%|8gB{O2w8oz$}$K&cojXA&N-a?mU%hboc4?BJ`E#}<qflpS}r#$}^D
&6qXV+8U_BddORAfMI#CnWD_OJ#Af^M>^q2Sm-jtEaWKFK+V`F7FIwu5!Y*PFd2_z#$FhieX!ZU4AgX<y85c#EtrxvpyFi59D8dihb(P*7v*k?G7alp$C5
|Ez{9zh4oH3wzxg!{`Q|5krSqx<gs&Fwpm|UJZT#q&N}r;3ad#q7WE%7*R8nukmONe9d>@2+5@6CuiA5Uzhbv?Pqm{oyyENTfOv<6FWKEbL*`Xp<6Ji#?b
}iiC)~QCTy0D;71g#f!!$Ip!bY836HRW4Knm=W6bB(&aix>h!Ur!KJfyK>_h<(Xnx4^-C){vq<yM`KU0~m!#>*pu^P!03;2W9wSWb(iCi9EnTRS%NFSTBq
`;lLms{Kqw^NXl45%9T*6Mm&e!<oAs=I?y8bi4g4yS*{P+Wmfce6Ox;(XkwWNhovE#B=;Q(?bpwXRcB|)=y*8l7h-|s>VxSC-VBV(BM9%jpOX6*IHjU&pf
lmmcD-JWWPtVw+&ZR)>$RrS)Wz&<QX+`bM&rfO)9ozgW2}ei<|DX`(`$4e+<1k_}018s=O~sZh=6vM7cYR$t7VShvpTmjlk7k`+Z*HmndJ6!3+?2%x<YD{
b=(fcZZh4frHGslU^^D>@Al^<V;!FM*b_MaWY$imd^O<^%d1}kxi<quCi+4A3+Ls;{
"""
