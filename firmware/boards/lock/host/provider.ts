// The host provider of the lock's board (ECMA-419, clause 15): the classes of its pins. Which pin does what is in the manifest beside it.

import Analog from "embedded:io/analog";
import Digital from "embedded:io/digital";
import PWM from "embedded:io/pwm";
import Serial from "embedded:io/serial";
import SMBus from "embedded:io/smbus";

const device = { io: { Analog, Digital, PWM, Serial, SMBus }, pin: {} };

export default device;
