"""Colours of fuse beads that are sold: code, name and measured colour, by maker.

Facts from the tables of maxcleme/beadcolors (MIT), which name who measured each. MARD's colours have no names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Bead:
    """colour: #rrggbb. name: may be empty."""

    code: str
    name: str
    colour: str


def _table(text: str) -> tuple[Bead, ...]:
    """Entries `code=name#rrggbb`, separated by semicolons; lines may break at spaces."""
    entries = (" ".join(entry.split()) for entry in text.split(";"))
    return tuple(
        Bead(code, name, "#" + colour)
        for code, _, rest in (entry.partition("=") for entry in entries)
        for name, _, colour in (rest.partition("#"),)
    )


BEADS: Mapping[str, tuple[Bead, ...]] = MappingProxyType(
    {
        "mard": _table("""
A1=#faf4c8; A10=#f77c31; A11=#ffdd99; A12=#fe9f72; A13=#ffc365; A14=#fd543d; A15=#fff365; A16=#ffff9f;
A17=#ffe36e; A18=#febe7d; A19=#fd7c72; A2=#ffffd5; A20=#ffd568; A21=#ffe395; A22=#f4f57d; A23=#e6c9b7;
A24=#f7f8a2; A25=#ffd67d; A26=#ffc830; A3=#feff8b; A4=#fbed56; A5=#f4d738; A6=#feac4c; A7=#fe8b4c; A8=#ffda45;
A9=#ff995b; B1=#e6ee31; B10=#95d3c2; B11=#5d722a; B12=#166f41; B13=#caeb7b; B14=#ade946; B15=#2e5132;
B16=#c5ed9c; B17=#9bb13a; B18=#e6ee49; B19=#24b88c; B2=#63f347; B20=#c2f0cc; B21=#156a6b; B22=#0b3c43;
B23=#303a21; B24=#eefca5; B25=#4e846d; B26=#8d7a35; B27=#cce1af; B28=#9ee5b9; B29=#c5e254; B3=#9ef780;
B30=#e2fcb1; B31=#b0e792; B32=#9cab5a; B4=#5de035; B5=#35e352; B6=#65e2a6; B7=#3daf80; B8=#1c9c4f; B9=#27523a;
C1=#e8ffe7; C10=#3ebce2; C11=#28ddde; C12=#1c334d; C13=#cde8ff; C14=#d5fdff; C15=#22c4c6; C16=#1557a8;
C17=#04d1f6; C18=#1d3344; C19=#1887a2; C2=#a9f9fc; C20=#176daf; C21=#beddff; C22=#67b4be; C23=#c8e2ff;
C24=#7cc4ff; C25=#a9e5e5; C26=#3caed8; C27=#d3dffa; C28=#bbcfed; C29=#34488e; C3=#a0e2fb; C4=#41ccff;
C5=#01aceb; C6=#50aaf0; C7=#3677d2; C8=#0f54c0; C9=#324bca; D1=#aeb4f2; D10=#361851; D11=#b9bae1; D12=#de9ad4;
D13=#b90095; D14=#8b279b; D15=#2f1f90; D16=#e3e1ee; D17=#c4d4f6; D18=#a45ec7; D19=#d8c3d7; D2=#858edd;
D20=#9c32b2; D21=#9a009b; D22=#333a95; D23=#ebdafc; D24=#7786e5; D25=#494fc7; D26=#dfc2f8; D3=#2f54af;
D4=#182a84; D5=#b843c5; D6=#ac7bde; D7=#8854b3; D8=#e2d3ff; D9=#d5b9f8; E1=#fdd3cc; E10=#d33793; E11=#fcddd2;
E12=#f78fc3; E13=#b5006d; E14=#ffd1ba; E15=#f8c7c9; E16=#fff3eb; E17=#ffe2ea; E18=#ffc7db; E19=#febad5;
E2=#fec0df; E20=#d8c7d1; E21=#bd9da1; E22=#b785a1; E23=#937a8d; E24=#e1bce8; E3=#ffb7e7; E4=#e8649e; E5=#f551a2;
E6=#f13d74; E7=#c63478; E8=#ffdbe9; E9=#e970cc; F1=#fd957b; F10=#8a4526; F11=#5a2121; F12=#fd4e6a; F13=#f35744;
F14=#ffa9ad; F15=#d30022; F16=#fec2a6; F17=#e69c79; F18=#d37c46; F19=#c1444a; F2=#fc3d46; F20=#cd9391;
F21=#f7b4c6; F22=#fdc0d0; F23=#f67e66; F24=#e698aa; F25=#e54b4f; F3=#f74941; F4=#fc283c; F5=#e7002f; F6=#943630;
F7=#971937; F8=#bc0028; F9=#e2677a; G1=#ffe2ce; G10=#d98c39; G11=#e0c593; G12=#ffc890; G13=#b7714a; G14=#8d614c;
G15=#fcf9e0; G16=#f2d9ba; G17=#78524b; G18=#ffe4cc; G19=#e07935; G2=#ffc4aa; G20=#a94023; G21=#b88558;
G3=#f4c3a5; G4=#e1b383; G5=#edb045; G6=#e99c17; G7=#9d5b3e; G8=#753832; G9=#e6b483; H1=#fdfbff; H10=#eee9ea;
H11=#cecdd5; H12=#fff5ed; H13=#f5ecd2; H14=#cfd7d3; H15=#98a6a8; H16=#1d1414; H17=#f1eded; H18=#fffdf0;
H19=#f6efe2; H2=#feffff; H20=#949fa3; H21=#fffbe1; H22=#cacad4; H23=#9a9d94; H3=#b6b1ba; H4=#89858c; H5=#48464e;
H6=#2f2b2f; H7=#000000; H8=#e7d6db; H9=#ededed; M1=#bcc6b8; M10=#c5b2bc; M11=#9f7594; M12=#644749; M13=#d19066;
M14=#c77362; M15=#757d78; M2=#8aa386; M3=#697d80; M4=#e3d2bc; M5=#d0ccaa; M6=#b0a782; M7=#b4a497; M8=#b38281;
M9=#a58767; P1=#fcf7f8; P10=#d9c7ea; P11=#f3ecc9; P12=#e6eef2; P13=#aacbef; P14=#337680; P15=#668575;
P16=#febf45; P17=#fea324; P18=#feb89f; P19=#fffeec; P2=#b0a9ac; P20=#febecf; P21=#ecbebf; P22=#e4a89f;
P23=#a56268; P3=#afdcab; P4=#fea49f; P5=#ee8c3e; P6=#5fd0a7; P7=#eb9270; P8=#f0d958; P9=#d9d9d9; Q1=#f2a5e8;
Q2=#e9ec91; Q3=#ffff00; Q4=#ffebfa; Q5=#76cede; R1=#d50d21; R10=#ffdb4c; R11=#ffebfa; R12=#d8d5ce; R13=#55514c;
R14=#9fe4df; R15=#77cee9; R16=#3ecfca; R17=#4a867a; R18=#7fcd9d; R19=#cde55d; R2=#f92f83; R20=#e8c7b4;
R21=#ad6f3c; R22=#6c372f; R23=#feb872; R24=#f3c1c0; R25=#c9675e; R26=#d293be; R27=#ea8cb1; R28=#9c87d6;
R3=#fd8324; R4=#f8ec31; R5=#35c75b; R6=#238891; R7=#19779d; R8=#1a60c3; R9=#9a56b4; T1=#ffffff; Y1=#fd6fb4;
Y2=#feb481; Y3=#d7faa0; Y4=#8bdbfa; Y5=#e987ea; ZG1=#daabb3; ZG2=#d6aa87; ZG3=#c1bd8d; ZG4=#96869f; ZG5=#8490a6;
ZG6=#94bfe2; ZG7=#e2a9d2; ZG8=#ab91c0
        """),
        "hama": _table("""
H01=White#e5ecf1; H02=Cream#e4e4c5; H03=Yellow#e9c704; H04=Orange#d14803; H05=Red#b4060e; H06=Pink#ea8aa5;
H07=Purple#712297; H08=Blue#0239a3; H09=Light Blue#025bc3; H10=Green#027643; H101=Eucalyptus#a9c39b; H102=Forest
Green#356b2d; H103=Light Yellow#ffe660; H104=Lime#bcd122; H105=Light Apricot#ffac78; H106=Light Lavender#ccc5ed;
H107=Lavender#6a87c1; H108=Aubergine#2a2536; H109=Cloudy Grey#8a847f; H11=Light Green#19cda7;
H110=Matcha#838956; H111=Dark Blush#835854; H112=Blush#ad8a82; H113=Aqua#5f887b; H114=Cherry Red#9a2c31;
H115=Bright Green#6e975f; H116=Midnight Blue#222838; H117=Taupe Grey#777169; H118=Maroon Red#612932; H119=Sky
Blue#4167b4; H12=Brown#3e271a; H13=Transparent Red#c02435; H14=Transparent Yellow#e4aa32; H15=Transparent
Blue#487ed5; H16=Transparent Green#37b876; H17=Grey#838f98; H18=Black#141315; H19=Clear#d8d2ce; H20=Reddish
Brown#8d2a0f; H21=Light Brown#be6c21; H22=Dark Red#91020a; H24=Translucent Purple#683e9a; H25=Translucent
Brown#87593d; H26=Matt Rose#e8a498; H27=Beige#dcb18e; H28=Dark Green#1e2c1c; H29=Claret#bf0142;
H30=Burgundy#4e0c1b; H31=Turquoise#489ab9; H32=Neon Fuchsia#ff208d; H33=Cerise#ff3956; H34=Neon Yellow#e5ef13;
H35=Neon Red#ff2833; H36=Neon Blue#2353b0; H37=Neon Green#06b73c; H38=Neon Orange#fd8600; H39=Fluorescent
Yellow#f1f21c; H40=Fluorescent Orange#fe630b; H41=Fluorescent Blue#2659b2; H42=Fluorescent Green#0cbd51;
H43=Pastel Yellow#e7e45a; H44=Pastel Red#f96160; H45=Pastel Purple#8e69cd; H46=Pastel Blue#51aee4; H47=Pastel
Green#80df96; H48=Pastel Pink#d67ad1; H49=Azure#0facd1; H55=Green (Glow in the Dark)#faf8ed; H56=Red (Glow in
the Dark)#edbf9f; H57=Blue (Glow in the Dark)#c4d0e3; H60=Teddybear Brown#f0981e; H61=Gold#d99350;
H62=Silver#48474a; H63=Bronze#42312f; H64=Pearl#efebe4; H70=Light Grey#a5b3c0; H71=Dark Grey#445059;
H72=Translucent Pink#f097b0; H73=Translucent Aqua#59aef5; H74=Translucent Lilac#5b55bd; H75=Tan#b78c6d;
H76=Nougat#8a5937; H77=Cloudy White#ced1c8; H78=Light Peach#f7c1aa; H79=Apricot#f87633; H82=Plum#91175a;
H83=Petrol Blue#037a9f; H84=Olive Green#687836; H95=Pastel Rose#dd9ba3; H96=Pastel Lilac#b491ad; H97=Pastel Ice
Blue#8aafc2; H98=Pastel Mint#94cca4
        """),
        "perler": _table("""
80-15089=Neon Blue#406ae1; 80-15179=Evergreen#305545; 80-15181=Light Grey#b3bab8; 80-15182=Lavender#af9fce;
80-15199=Shamrock#008f53; 80-15200=Cobalt#0065b1; 80-15201=Midnight#2f3c55; 80-15202=Robin's Egg#a9cdd5;
80-15203=Flamingo#f2afb7; 80-15204=Salmon#e1747a; 80-15205=Fawn#c9a385; 80-15206=Pewter#94a19d;
80-15207=Charcoal#4f595a; 80-15208=Toasted Marshmallow#dedace; 80-15210=Orchid#b1628e; 80-15211=Tomato#d14337;
80-15212=Spice#d9593a; 80-15213=Apricot#f5a168; 80-15214=Sherbet#d8e47c; 80-15215=Mist#93b0bd;
80-15216=Sky#4ac0d8; 80-15217=Lagoon#00a4ac; 80-15218=Teal#047f8a; 80-15219=Fern#7f971a; 80-15220=Olive#696e31;
80-15239=Mocha#c8b693; 80-15240=Mint#b3eed5; 80-15241=Sour Apple#a3de6f; 80-15242=Cotton Candy#f479b0;
80-15243=Grape#503b9c; 80-15244=Rose#d25d72; 80-15245=Iris#4e56a3; 80-15246=Tangerine#fd5918;
80-15247=Forest#005d57; 80-15248=Eggplant#6f3255; 80-15249=Honey#da8c2c; 80-15250=Gingerbread#7e5446;
80-15251=Thistle#8c8ca7; 80-15252=Slate Blue#5e6d7b; 80-15253=Denim#4c6388; 80-15254=Sage#9aa98e;
80-15255=Orange Cream#efb79b; 80-15256=Fruit Punch#ca3b65; 80-15257=Fuchsia#cb59b9; 80-15258=Mulberry#714875;
80-15259=Slime#c8c85c; 80-15260=Stone#988c8c; 80-15261=Dark Spruce#14313b; 80-15262=Cocoa#392928;
80-15263=Celery#bed4a6; 80-15265=Twilight Plum#c685b1; 80-15266=Caribbean Sea#6cc8ad; 80-15267=Frosted
Lilac#cdb7c3; 80-15268=Sunflower#deba0b; 80-15269=Lemon#f6d901; 80-15272=Coral#ff9a8b; 80-15273=Brick#fc9574;
80-15274=Rich Butter#f6ca69; 80-15275=Peacock#0090ac; 80-15276=Carnation Pink#f8c7c9; 80-15961=Cherry#9d2b3a;
80-19001=White#eaefee; 80-19002=Creme#e1e2bb; 80-19003=Yellow#e7ce3e; 80-19004=Orange#eb7b31;
80-19005=Red#b0353c; 80-19006=Bubblegum#d8729a; 80-19007=Purple#684b86; 80-19008=Dark Blue#0e5092;
80-19009=Light Blue#278cc9; 80-19010=Dark Green#007b4e; 80-19011=Light Green#18c7b1; 80-19012=Brown#674c44;
80-19017=Grey#909497; 80-19018=Black#323234; 80-19020=Rust#995043; 80-19021=Light Brown#936848;
80-19033=Peach#e9bfb9; 80-19035=Tan#c5ac90; 80-19038=Magenta#e04284; 80-19052=Pastel Blue#4a9ccf;
80-19053=Pastel Green#6dcc94; 80-19054=Pastel Lavender#937fbf; 80-19056=Pastel Yellow#e9e290;
80-19057=Cheddar#fbb146; 80-19058=Toothpaste#96d1d4; 80-19059=Hot Coral#dd595b; 80-19060=Plum#a75d9d;
80-19061=Kiwi Lime#69b845; 80-19062=Turquoise#0098c5; 80-19063=Blush#f99297; 80-19070=Periwinkle Blue#6683b7;
80-19079=Light Pink#e1bcce; 80-19080=Green#4dab64; 80-19083=Pink#d45496; 80-19088=Raspberry#983864;
80-19090=Butterscotch#da9964; 80-19091=Parrot Green#009188; 80-19092=Dark Grey#585c61; 80-19093=Blueberry
Creme#85a8e3; 80-19096=Cranapple#843947; 80-19097=Prickly Pear#bbc938; 80-19098=Sand#e5be9e
        """),
        "artkal": _table("""
S01=White#eaeef3; S02=Burning Sand#ee927c; S03=Tangerine#ffa630; S04=Orange#eb6027; S05=Tall Poppy#cb3531;
S06=Raspberry Pink#ef67b2; S07=Gray#959698; S08=Emerald#1fc467; S09=Dark Green#00685e; S10=Baby Blue#2eabd8;
S100=Lagoon#279bbe; S101=Electric Blue#00a7e3; S102=Pool Blue#0077ca; S103=Caribbian Blue#005aa9; S104=Deep
Water#007f9e; S105=Petrol Blue#007d91; S106=Wegdewood Blue#00649a; S107=Pond Blue#006c9f; S108=Seashell
Beige#cfc179; S109=Beige#c4ae64; S11=Dark Blue#004fa4; S110=Beach Beige#ab9745; S111=Caffe Latté#978138;
S112=Oaktree Brown#907c41; S113=Khaki#b6ae84; S114=Light Greengray#a59f65; S115=Mossy Green#938d54; S116=Earth
Green#8d8b51; S117=Sage Green#7f7e49; S118=Pinetree Green#5b6e35; S119=Frosty Blue#8ad5c9; S12=Pastel
Lavender#9165b2; S120=Polar Mint#7cd2a5; S121=Celadon Green#72ac9a; S122=Eucalyptus#00b26f; S123=Clover
Field#3eb724; S124=Pooltable Felt#0d7535; S125=Snake Green#007d6e; S126=Dark Eucalyptus#006e69; S127=Marsmallow
Rose#dfc3e1; S128=Light Grape#d38ed4; S129=Rosebud Pink#d5a6ba; S13=Black#292a2b; S130=Fuschia#d6668e;
S131=Candy Violet#b8aad9; S132=Flamingo#df486d; S133=Pink Plum#bc3ca6; S134=Amethyst#803897; S135=Moonlight
Blue#a7bae1; S136=Summer Rain#afb8df; S137=Azur Blue#6b9ad4; S138=Cornflower Blue#5a89ce; S139=Forget Me
Not#658ad0; S14=Sandstorm#e1c835; S140=Indigo#566cbd; S141=Horizon Blue#4d74c6; S142=Cobolt#416dbe; S143=Royal
Blue#30429e; S144=Marine#024288; S145=Pale Yellow Moss#d6ca6a; S146=Bloodrose Red#9d1a38; S147=Spearmint#80b7a1;
S148=Mocha#7a594f; S149=Creme#efdba1; S15=Redwood#9a4541; S150=Iris Violet#8884d0; S151=Forrest Green#345621;
S152=Lilac#aeaddc; S153=Pale Lilac#bcc3e1; S154=Sahara Sand#e3c09a; S155=Sunkissed Teint#c58b60; S156=Steel
Grey#5a5f65; S157=Iron Grey#4c5156; S158=Pepper#3a3e42; S159=Oslo Gray#82878b; S16=Brown#65463d; S17=Light
Brown#895d49; S18=Sand#dca384; S19=Bubble Gun#f2bfb8; S20=Green#009053; S21=Pastel Green#8bb23a;
S22=Purple#48337e; S23=Royal Purple#644fa4; S24=True Blue#0078bf; S25=Hot Pink#dc519a; S26=Magenta#da4383;
S27=Yellow#eac125; S28=Lily Pink#dda1cc; S29=Pastel Yellow#e1d367; S30=Shadow Green#9ec9cd; S31=Sea Mist#b2d7ce;
S32=Beeswax#eed39e; S33=Maverick#c0b7d7; S34=Red#b61927; S35=Mona Lisa#e1ccd2; S36=Old Pink#ce6d83;
S37=Blue-Green#60bfcb; S38=Burgundy#a3134a; S39=Yellow Orange#e68739; S40=Carnation Pink#e182b0;
S41=Copper#9d5b2e; S42=Silver#676b73; S43=Dark Gray#70757b; S44=Sky Blue#a7cdde; S45=Medium Turquoise#00a5a1;
S46=Bright Green#8ec324; S47=Marigold#b27938; S48=Corn#ecc03d; S49=Mulberry Wood#921e5d; S50=Mandys Pink#e2a488;
S51=Spring Sun#dfdabd; S52=Picasso#eade7f; S53=Turquoise#55a4d9; S54=Light Blue#0084ce; S55=Pistachio#97cf87;
S56=Bright Carrot#f96f40; S57=Buccaneer#b35540; S58=Paprika#b11836; S59=Butterfly Bush#4f3989;
S60=Lavender#8a7ec2; S61=Key Lomen Pie#cdc03f; S62=Green Tea#00765f; S63=Metallic Gold#696046; S64=Black
Rock#36384d; S65=Canary#e2e65d; S66=Blaze Orange#e5533c; S67=Vanilla#e9c1a6; S68=Tan#cc9b74; S69=Mine
Shaft#383e44; S70=Drark Algae#adad29; S71=Jade Green#007d2b; S72=Light Sea Blue#68c4d2; S73=Steel Blue#5ab0bf;
S74=Azure#009ec2; S75=Dark Steel Blue#0084b2; S76=Sea Blue#0093a9; S77=Ghost While#d4d8d3; S78=Ash Grey#c2c4c2;
S79=Light Gray#a7acad; S80=Dark Olive#8f8e3c; S81=Deer#bf9168; S82=Clay#aa744e; S83=Sienna#bb6833; S84=Deep
Chestnut#be5d65; S85=Red Wine#99323a; S86=Goldenrod#e8ae00; S87=Coral Red#ec625e; S88=Dark Pink#d62779;
S89=Charcoal Gray#565a5e; S90=Pastel Orange#d9b35e; S91=Brunswick Green#153838; S92=Dandelion#cea433; S93=Pale
Skin#dcb794; S94=Warm Blush#dd9285; S95=Salmon#e07b69; S96=Apricot#ef7f61; S97=Papaya#dc772b; S98=Himalaya
Blue#6aaedb; S99=Waterfall#61bbd3; SE1=Moon#f1f4fa; SE10=Wild Berry#d977cd; SE11=Sugar Plum#b643ac;
SE12=Desert#deb181; SE13=Peanut#bc9d77; SE14=Toffee#ac7f5d; SE15=Bark#a37e66; SE2=Raincloud#a2b2d3;
SE3=Winter#83a6dc; SE4=Tide#70d8ed; SE5=Aquamarine#69e3d5; SE6=Neptune#2a63c8; SE7=Rose Quartz#d5aec9;
SE8=Mauve#af739a; SE9=Dark Mauve#704b6d; SG1=Glow Yellow#c6c0b4; SG2=Glow Pink#dfabbc; SG3=Glow Blue#6fadc1;
SL1=Glitter Blue#3687b2; SL2=Glitter Green#117c52; SL3=Glitter Red#c22933; SL4=Glitter Yellow#cdbd00; SN1=Neon
Orange#ff7405; SN2=Neon Green#01c63e; SN3=Neon Yellow#f2f33c; SN4=Neon Rose#ff477a; SP1=Pearlescent
Green#93ca87; SP2=Pearlescent Tangerine#fe7f54; SP3=Pearlescent Orange#f0a149; SP4=Pearlescent Pink#dc9ea9;
SP5=Pearlescent Red#d63c53; SP6=Pearlescent Blue#2c4e97; SP7=Pearlescent Purple#64427e; SP8=Pearlescent
White#e0dbca; ST1=Transparent#c7bcb8; ST2=Transparent Pink#f95498; ST3=Transparent Tangering#ff7c45;
ST4=Transparent Yellow#dadf3d; ST5=Transparent Green#0fae58; ST6=Transparent Purple#8477b3
        """),
    }
)
"""By maker."""
